use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;

use tempfile::TempDir;
use uuid::Uuid;

use crate::postgres::PrivatePostgres;
use crate::redis_server::PrivateRedis;

/// The two backends on which every test runs, as the cases of an `rstest`:
///
/// ```text
/// #[rstest]
/// #[tokio::test]
/// async fn a_viewer_may_not_approve(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
///     let stores = backend.start().await;
///     let app = App::start(&stores.database_url().await, &stores.redis_url()).await;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite files and the in-process backplane.
    Memory,
    /// Postgres and Redis.
    Real,
}

impl Backend {
    /// Starts the stores of one test. Keep them as long as the thing under test runs.
    pub async fn start(self) -> Stores {
        self.report();
        let world = match self {
            Backend::Memory => World::Memory(tempfile::tempdir().expect("a temporary folder")),
            Backend::Real => World::Real(PrivateRedis::start()),
        };
        Stores { world }
    }

    /// Appends this test to the list from which `tests/run` counts the tests of each backend.
    fn report(self) {
        let Some(file) = std::env::var_os("TEST_BACKENDS_FILE") else { return };
        let program = std::env::args().next().unwrap_or_default();
        // The test runner names a test's thread after the test.
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let mut file = OpenOptions::new().append(true).open(file).expect("tests/run has made the file");
        file.write_all(format!("{self:?} {program} {test}\n").as_bytes()).expect("the file can be written");
    }
}

/// A test's own databases and backplane, deleted on drop.
pub struct Stores {
    world: World,
}

enum World {
    Memory(TempDir),
    Real(PrivateRedis),
}

impl Stores {
    /// Creates a new, empty database and returns its URL.
    pub async fn database_url(&self) -> String {
        match &self.world {
            World::Memory(folder) => {
                let file = folder.path().join(format!("{}.sqlite", Uuid::new_v4().simple()));
                format!("sqlite://{}?mode=rwc", file.display())
            }
            World::Real(_) => PrivatePostgres::shared().create_database().await,
        }
    }

    /// Returns the backplane's URL: `memory:` or the test's own Redis.
    pub fn redis_url(&self) -> String {
        match &self.world {
            World::Memory(_) => "memory:".to_owned(),
            World::Real(redis) => redis.url(),
        }
    }

    /// Panics if another process runs on the same stores with an in-process backplane of its own: it publishes events of
    /// the shared outbox that nobody else hears.
    pub fn assert_all_events_are_heard(self: &Arc<Self>) {
        let is_heard = matches!(self.world, World::Real(_)) || Arc::strong_count(self) == 1;
        assert!(is_heard, "two processes with `Backend::Memory` hear only a part of the events");
    }

    /// Returns the test's own Redis, to inspect or break it.
    ///
    /// # Panics
    /// With [`Backend::Memory`].
    pub fn redis(&self) -> &PrivateRedis {
        match &self.world {
            World::Memory(_) => panic!("the in-process backplane has no Redis to break"),
            World::Real(redis) => redis,
        }
    }
}
