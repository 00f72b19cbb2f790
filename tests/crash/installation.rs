//! An installation in a folder of its own, and the program run on it as separate processes.
//!
//! The tests look into the database only while nothing depends on it: whoever opens a SQLite file first after a crash
//! repairs it, and that must be the program.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use marelle::base::secret::Secret;
use marelle::store::db::{Address, Db, Row, Statement};
use serde_json::Value;
use tempfile::TempDir;

use crate::{client, engines};

/// The program under test.
const MARELLE: &str = env!("CARGO_BIN_EXE_marelle");
/// The issuer. It is frozen at first start while the port changes with every start; nothing connects to it.
const ISSUER: &str = "http://127.0.0.1:8080";

/// Data, keys and settings; gone with this value.
pub(crate) struct Installation {
    folder: TempDir,
    database: Address,
    settings: Vec<(&'static str, String)>,
}

/// Runs a test on SQLite, and on a schema of its own of PostgreSQL where a server is named.
pub(crate) async fn on_each_engine(test: impl AsyncFn(&Installation)) {
    test(&Installation::new(None)).await;
    if let Some(url) = engines::fresh_postgres().await {
        test(&Installation::new(Some(url))).await;
    }
}

impl Installation {
    /// A folder with nothing in it yet.
    pub(crate) fn new(postgres: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let file = path("marelle.db");
        let mut settings = vec![
            ("MARELLE_HTTP__PUBLIC_URL", ISSUER.to_owned()),
            ("MARELLE_KEYS__MASTER_KEY_FILE", path("master.key")),
            // Longer than any round takes on a slow machine: no code may die of age.
            ("MARELLE_OIDC__CODE_SECONDS", "600".to_owned()),
        ];
        let database = if let Some(url) = postgres {
            settings.push(("MARELLE_DATABASE__URL", url.clone()));
            Address::Url(Secret::new(url))
        } else {
            settings.push(("MARELLE_DATABASE__FILE", file.clone()));
            Address::File(file.into())
        };
        Self {
            folder,
            database,
            settings,
        }
    }

    /// A fresh one on the same engine.
    pub(crate) async fn another(&self) -> Self {
        match self.database {
            Address::File(_) => Self::new(None),
            Address::Url(_) => Self::new(engines::fresh_postgres().await),
        }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The program with arguments, in the folder, with none of the tests' own environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(MARELLE);
        command
            .args(arguments)
            .env_clear()
            .envs(self.settings.iter().map(|(name, value)| (*name, value)))
            .env("TMPDIR", self.folder.path())
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "marelle {}: {}\n{}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    /// Runs the program with `--json`; what it answers.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Asks the program whether the installation is whole.
    pub(crate) fn is_whole(&self) {
        let said = self.json(&["doctor"]);
        assert_eq!(said["audit_break"], Value::Null, "{said}");
        assert!(said["audit_entries"].as_u64().unwrap() > 0, "{said}");
    }

    /// The rows that the data answers to a question, through connections that are closed again.
    pub(crate) async fn ask(&self, sql: &'static str) -> Vec<Row> {
        let db = Db::open(&self.database).await.unwrap();
        let mut conn = db.reader().await.unwrap();
        let rows = conn.all(Statement { name: "ask", sql }, []).await.unwrap();
        drop(conn);
        db.close().await;
        rows
    }

    /// The one number (`AS number`) that the data answers to a question.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        self.ask(sql).await[0].get("number").unwrap()
    }

    /// Starts the server and waits until it answers.
    pub(crate) async fn serve(&self) -> Server {
        let log = self.path("serve.log");
        // Between choosing a port and listening on it, somebody else may take it.
        for _ in 0..5 {
            if let Some(server) = self.try_serve(&log).await {
                return server;
            }
        }
        panic!("marelle serve: {}", std::fs::read_to_string(log).unwrap());
    }

    async fn try_serve(&self, log: &Path) -> Option<Server> {
        let port = {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            listener.local_addr().unwrap().port()
        };
        let child = self
            .command(&["serve"])
            .env("MARELLE_HTTP__LISTEN", format!("127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(File::create(log).unwrap())
            .spawn()
            .unwrap();
        let mut server = Server {
            process: Process(child),
            port,
        };
        for _ in 0..600 {
            if server.process.has_ended() {
                return None;
            }
            match client::get(port, "/health/live", "").await {
                Ok(answer) if answer.status == 200 => return Some(server),
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        None
    }
}

/// A running server.
pub(crate) struct Server {
    /// The process.
    pub(crate) process: Process,
    /// The port on which it listens, on this machine.
    pub(crate) port: u16,
}

/// A process that is killed when this value goes, if not before.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// SIGKILL: the process gets no chance to do anything about it. Answers when it is gone; whether that was the
    /// kill's doing.
    pub(crate) fn kill(&mut self) -> bool {
        use std::os::unix::process::ExitStatusExt as _;
        self.0.kill().unwrap();
        self.0.wait().unwrap().signal() == Some(9)
    }

    /// Whether it came to a good end.
    pub(crate) fn succeeded(&mut self) -> bool {
        self.0.wait().unwrap().success()
    }

    /// Whether it is gone already.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already, which is as well.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
