//! Loading the files of the sample: read from the disk, given to the import as the command line gives them.

use std::fs;

use super::Stage;
use crate::app::import_file;
use crate::domain::access_date::{AccessDate, Pupils};
use crate::domain::education::{AcademyCode, Degree, SchoolYear};
use crate::flows::declaration::{self, Declaration};
use crate::flows::import::{self, Feed, File, Load, Report};

impl Stage {
    /// Imports the ONDE file of each école.
    pub(super) async fn import_onde(&self, territory: &Declaration, year: SchoolYear) -> anyhow::Result<()> {
        let mut files = Vec::new();
        for school in territory
            .schools
            .iter()
            .filter(|school| school.degree == Degree::First)
        {
            let path = self
                .folder
                .join(format!("sample/onde/{year}/{}/CSVExtraction.csv", school.uai));
            files.push(import_file(&path, Some(school.uai.clone())));
        }
        self.import(Feed::Onde, year, files).await.map(drop)
    }

    /// Imports the AAF delivery; answers what to tell the visitor.
    pub(super) async fn import_aaf(
        &self,
        territory: &Declaration,
        year: SchoolYear,
    ) -> anyhow::Result<String> {
        let Some(academy) = territory.academies.first() else {
            anyhow::bail!("the sample has no academy")
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(self.folder.join(format!("sample/aaf/{year}")))? {
            files.push(import_file(&entry?.path(), None));
        }
        let academy: AcademyCode = academy.code.clone();
        let report = self
            .import(
                Feed::Aaf {
                    academy,
                    degree: None,
                },
                year,
                files,
            )
            .await?;
        Ok(told(&report))
    }

    /// Opens a school year today: nobody who looks on waits for September.
    pub(super) async fn open_at_once(&self, year: SchoolYear) -> anyhow::Result<()> {
        let pupils = Pupils::of(None, None, None).map_err(anyhow::Error::msg)?;
        let today = self.context.now().date_in_france();
        let declared = Declaration {
            access_dates: vec![AccessDate::new(year, pupils, today)?],
            ..Declaration::default()
        };
        declaration::apply(&self.context, &declared, declaration::Options::default()).await?;
        Ok(())
    }

    async fn import(&self, feed: Feed, year: SchoolYear, files: Vec<File>) -> anyhow::Result<Report> {
        let operator = "demo".to_owned();
        let load = Load {
            feed,
            year,
            files,
            operator,
            override_reason: None,
            mapping: None,
        };
        Ok(import::apply(&self.context, load).await?)
    }
}

/// What the load did, for the visitor.
fn told(report: &Report) -> String {
    let counts = report.total;
    format!(
        "{} élèves chargés : {} reconnus, {} nouveaux, {} cas pour un humain.",
        counts.stated,
        counts.recognised,
        counts.new.saturating_sub(counts.recognised),
        counts.cases
    )
}
