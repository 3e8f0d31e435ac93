//! One message that goes out at once, to see that e-mail arrives: what the server answers is said.

use anyhow::{Context as _, bail};
use lettre::AsyncTransport as _;

use super::{
    outbox::{connect, letter, sender},
    words,
};
use crate::{clock::random, config::Config};

/// Sends a message to `address`; gives the server's answer. Nothing is queued and nothing repeated.
pub(crate) async fn try_out(config: &Config, address: &str) -> anyhow::Result<String> {
    if address.parse::<lettre::Address>().is_err() {
        bail!("\"{address}\" is not an e-mail address, such as ann@example.org");
    }
    let Some(smtp) = &config.mail.smtp else {
        bail!(
            "no mail server is configured ([mail.smtp] host), so each message becomes a file in {}; nothing was \
             sent",
            config.mail_folder().display()
        );
    };
    let from = sender(&config.mail)?;
    let id = hex::encode(random::<16>());
    let message = letter(&from, &id, &words::trial(address, &config.web.public_url))?;
    let sent = connect(smtp)?.send(message).await;
    let answer = sent.with_context(|| format!("{} did not take the message", smtp.host))?;
    let words = answer.message().collect::<Vec<_>>().join(" ");
    let plain: String = words.chars().filter(|c| !c.is_control()).collect();
    Ok(format!("{} {plain}", answer.code()))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
        net::TcpListener,
        task::JoinHandle,
    };

    use super::try_out;
    use crate::config::Config;

    /// A mail server for one message: `answers` by the first word of a command. Gives what it was told.
    async fn server(recipient: &'static str) -> (u16, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = tokio::spawn(async move {
            let (socket, _) = listener.accept().await.unwrap();
            let (read, mut write) = socket.into_split();
            let mut lines = BufReader::new(read).lines();
            let mut told = String::new();
            write.write_all(b"220 here\r\n").await.unwrap();
            let mut in_message = false;
            while let Ok(Some(line)) = lines.next_line().await {
                told.push_str(&format!("{line}\n"));
                let answer = match line.split([' ', ':']).next().unwrap() {
                    "." => {
                        in_message = false;
                        "250 2.0.0 queued as 4711"
                    }
                    _ if in_message => continue,
                    "RCPT" => recipient,
                    "DATA" => {
                        in_message = true;
                        "354 go on"
                    }
                    "QUIT" => "221 bye",
                    _ => "250 ok",
                };
                let answer = format!("{answer}\r\n");
                if write.write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
            told
        });
        (port, told)
    }

    fn config(smtp: &str) -> Config {
        let text = format!(
            "data_dir = \"/nowhere\"\n[web]\npublic_url = \"https://buckets.example.org\"\n{smtp}"
        );
        Config::parse(&text).unwrap()
    }

    fn over(port: u16) -> Config {
        config(&format!(
            "[mail]\nfrom = \"Storm <storm@example.org>\"\n[mail.smtp]\nhost = \"127.0.0.1\"\nport = {port}\n\
             tls = \"none\"\n"
        ))
    }

    #[tokio::test]
    async fn what_the_server_answers_is_said() {
        let (port, told) = server("250 ok").await;
        let answer = try_out(&over(port), "ann@example.org").await.unwrap();
        assert_eq!(answer, "250 2.0.0 queued as 4711");
        let told = told.await.unwrap();
        for part in [
            "MAIL FROM:<storm@example.org>",
            "RCPT TO:<ann@example.org>",
            "https://buckets.example.org",
        ] {
            assert!(told.contains(part), "{told}");
        }
    }

    #[tokio::test]
    async fn what_does_not_work_is_said_in_a_line() {
        let (port, _) = server("550 5.1.1 nobody of that name").await;
        let cases = [
            (over(port), "ann@example.org", "5.1.1 nobody of that name"),
            (over(port), "ann", "not an e-mail address"),
            (
                config(""),
                "ann@example.org",
                "no mail server is configured",
            ),
        ];
        for (config, address, expected) in cases {
            let error = try_out(&config, address).await.unwrap_err();
            let words = format!("{error:#}");
            assert!(words.contains(expected) && !words.contains('\n'), "{words}");
        }
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = gone.local_addr().unwrap().port();
        drop(gone);
        let error = try_out(&over(port), "ann@example.org").await.unwrap_err();
        let words = format!("{error:#}");
        assert!(words.contains("127.0.0.1 did not take"), "{words}");
        assert!(words.contains("refused"), "{words}");
    }
}
