//! The end-to-end stories, told against a real Garage. Each test has programs, ports and
//! directories of its own and runs beside all others.

mod accounts;
mod audit_file;
mod bad_input;
mod bucket_settings;
mod change_signal;
mod company_sign_in;
mod device_login;
mod executor;
mod harness_itself;
mod hostile_agents;
mod hostile_envelopes;
mod jobs;
mod keys;
mod kill_matrix;
mod lost_answer;
mod no_secret_at_the_control_plane;
mod offline;
mod one_key_one_bucket;
mod out_of_reach;
mod packaging;
mod people;
mod printed_configurations;
mod reconciliation;
mod requests;
mod revoked_agent;
mod rotated_key;
mod second_factor;
mod settings_by_command_line;
mod signed_out;
mod stolen_dispatch_key;
mod transfer_survives;
mod two_users;
mod up_from_nothing;
mod usage;
mod viewer;
