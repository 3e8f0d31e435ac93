//! What the table of the whitelist becomes: parameters, the enum, its rows, its parser, its results.

macro_rules! class {
    (read) => {
        Class::Read
    };
    (write) => {
        Class::Write
    };
    (access) => {
        Class::Access
    };
    (destructive) => {
        Class::Destructive
    };
    (operator) => {
        Class::Operator
    };
}

macro_rules! job {
    () => {
        false
    };
    (job) => {
        true
    };
}

macro_rules! whitelist {
    ($(
        $(#[doc = $doc:literal])+
        $class:ident $([$job:ident])? $name:literal => $command:ident {
            $( $(#[doc = $field_doc:literal])+ $field:ident: $type:ty, )*
        } -> $result:ident calls [$($call:ident),* $(,)?];
    )+) => {
        $(
            #[doc = concat!("Parameters of `", $name, "`.")]
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $command {
                $( $(#[doc = $field_doc])+ pub $field: $type, )*
            }
        )+

        /// A command of the whitelist with its parameters, understood and checked.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Command {
            $( #[doc = concat!("`", $name, "`")] $command($command), )+
        }

        impl Command {
            /// The table itself, for documents, peers and permission checks.
            pub const TABLE: &'static [Row] = &[$(
                Row {
                    name: $name,
                    class: class!($class),
                    job: job!($($job)?),
                    doc: concat!($($doc),+),
                    parameters: &[$((stringify!($field), stringify!($type), concat!($($field_doc),+)),)*],
                    result: stringify!($result),
                    calls: &[$(AdminCall::$call,)*],
                },
            )+];

            /// The command's name.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$command(_) => $name,)+ }
            }

            /// The command's row of the table.
            pub fn row(&self) -> &'static Row {
                let mut index = 0;
                $( if matches!(self, Self::$command(_)) { return &Self::TABLE[index]; } index += 1; )+
                let _ = index;
                unreachable!("every command has its row")
            }

            fn from_parts(name: &str, parameters: &str) -> Result<Self, Refusal> {
                match name {
                    $( $name => serde_json::from_str(parameters)
                        .map(Self::$command)
                        .map_err(|_| Refusal::BadParameters), )+
                    _ => Err(Refusal::UnknownCommand),
                }
            }

            /// The command as it stands in an envelope.
            pub fn to_raw(&self) -> RawCommand {
                let parameters = match self { $(Self::$command(p) => serde_json::value::to_raw_value(p),)+ };
                RawCommand {
                    name: self.name().to_owned(),
                    parameters: parameters.unwrap_or_else(|_| RawValue::NULL.to_owned()),
                }
            }
        }

        /// What a command that did its work answers.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(tag = "command", content = "value", deny_unknown_fields)]
        pub enum CommandResult {
            $( #[doc = concat!("Of `", $name, "`.")] #[serde(rename = $name)] $command($result), )+
        }
    };
}
pub(super) use {class, job, whitelist};
