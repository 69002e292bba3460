//! Named profiles: the variables that one library or tool really reads. Each profile names its source.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who reads a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// libpq and every client built on it; also pgx, node-postgres, Npgsql and asyncpg.
    Libpq,
    /// Frameworks that take one URL: SQLAlchemy and Django by convention, Rails, sqlx, Prisma.
    DatabaseUrl,
    /// Applications by convention: Spring, Laravel, Node and Python services.
    Redis,
    /// redis-py, redis-rs, ioredis, go-redis, Sidekiq, as a URL.
    RedisUrl,
    /// Applications by convention.
    S3,
    /// The AWS SDKs for Rust, Go, Java, JavaScript, C++ and .NET.
    AwsSdk,
    /// boto3 and the AWS CLI.
    Boto3,
    /// MLflow's artifact store.
    Mlflow,
    /// The server of MLflow: its artifact store and its database.
    MlflowServer,
    /// Arrow and PyArrow, where the file system comes from a URI (`FileSystem.from_uri("s3://…")`); a bare
    /// `S3FileSystem()` takes its endpoint from `endpoint_override` alone.
    Pyarrow,
    /// s3fs and what opens `s3://` by it: pandas, Dask, fsspec.
    S3fs,
    /// The Rust crate object_store and what stands on it: Polars, delta-rs, DataFusion, Lance.
    ObjectStore,
    /// rclone, for remotes that are written `:s3:bucket`.
    Rclone,
    /// GDAL and what stands on it: rasterio, GeoPandas.
    Gdal,
    /// redis-cli.
    RedisCli,
    /// Celery, as broker and result backend.
    Celery,
    /// Airflow's database and the broker of its Celery executor.
    Airflow,
    /// Spring Boot's data source and its Redis.
    SpringBoot,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 18] = [
        Self::Libpq,
        Self::DatabaseUrl,
        Self::Redis,
        Self::RedisUrl,
        Self::S3,
        Self::AwsSdk,
        Self::Boto3,
        Self::Mlflow,
        Self::MlflowServer,
        Self::Pyarrow,
        Self::S3fs,
        Self::ObjectStore,
        Self::Rclone,
        Self::Gdal,
        Self::RedisCli,
        Self::Celery,
        Self::Airflow,
        Self::SpringBoot,
    ];

    /// Those whose variables are given when nobody asks for others.
    pub const DEFAULT: [Self; 8] = [
        Self::Libpq,
        Self::DatabaseUrl,
        Self::Redis,
        Self::RedisUrl,
        Self::S3,
        Self::AwsSdk,
        Self::Boto3,
        Self::Mlflow,
    ];

    /// The name as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Libpq => "libpq",
            Self::DatabaseUrl => "database-url",
            Self::Redis => "redis",
            Self::RedisUrl => "redis-url",
            Self::S3 => "s3",
            Self::AwsSdk => "aws-sdk",
            Self::Boto3 => "boto3",
            Self::Mlflow => "mlflow",
            Self::MlflowServer => "mlflow-server",
            Self::Pyarrow => "pyarrow",
            Self::S3fs => "s3fs",
            Self::ObjectStore => "object-store",
            Self::Rclone => "rclone",
            Self::Gdal => "gdal",
            Self::RedisCli => "redis-cli",
            Self::Celery => "celery",
            Self::Airflow => "airflow",
            Self::SpringBoot => "spring-boot",
        }
    }

    /// Who reads the names, in words.
    #[must_use]
    pub fn readers(self) -> &'static str {
        match self {
            Self::Libpq => "libpq and every client built on it; also pgx, node-postgres, Npgsql, asyncpg",
            Self::DatabaseUrl => "SQLAlchemy and Django by convention, Rails, sqlx, Prisma",
            Self::Redis => "applications by convention (Spring, Laravel, Node and Python services)",
            Self::RedisUrl => "redis-py, redis-rs, ioredis, go-redis, Sidekiq (as a URL)",
            Self::S3 => "applications by convention",
            Self::AwsSdk => "the AWS SDKs for Rust, Go, Java, JavaScript, C++, .NET",
            Self::Boto3 => "boto3 (1.28 and newer) and the AWS CLI",
            Self::Mlflow => "MLflow's artifact store",
            Self::MlflowServer => "the server of MLflow: artifact store and database",
            Self::Pyarrow => {
                "Arrow and PyArrow by URI (`FileSystem.from_uri`); a bare `S3FileSystem()` reads no endpoint"
            }
            Self::S3fs => "s3fs, and pandas, Dask and fsspec with it",
            Self::ObjectStore => "the crate object_store: Polars, delta-rs, DataFusion, Lance",
            Self::Rclone => "rclone, for remotes written `:s3:bucket`",
            Self::Gdal => "GDAL, rasterio, GeoPandas",
            Self::RedisCli => "redis-cli",
            Self::Celery => "Celery: broker and result backend",
            Self::Airflow => "Airflow's database, and the broker of its Celery executor",
            Self::SpringBoot => "Spring Boot's data source and Redis",
        }
    }

    /// Where its makers say so.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Self::Libpq => "https://www.postgresql.org/docs/current/libpq-envars.html",
            Self::DatabaseUrl => "https://guides.rubyonrails.org/configuring.html#configuring-a-database",
            Self::Redis => "https://laravel.com/docs/redis#configuration",
            Self::RedisUrl => "https://github.com/sidekiq/sidekiq/wiki/Using-Redis",
            Self::S3 => "https://12factor.net/config",
            Self::AwsSdk => "https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html",
            Self::Boto3 => "https://docs.aws.amazon.com/boto3/latest/guide/configuration.html",
            Self::Mlflow => "https://mlflow.org/docs/latest/self-hosting/architecture/artifact-store/",
            Self::MlflowServer => "https://mlflow.org/docs/latest/api_reference/cli.html#mlflow-server",
            Self::Pyarrow => "https://github.com/apache/arrow/blob/main/cpp/src/arrow/filesystem/s3fs.cc",
            Self::S3fs => "https://filesystem-spec.readthedocs.io/en/latest/features.html#configuration",
            Self::ObjectStore => "https://docs.rs/object_store/latest/object_store/aws/enum.AmazonS3ConfigKey.html",
            Self::Rclone => "https://rclone.org/s3/",
            Self::Gdal => "https://gdal.org/en/stable/user/virtual_file_systems.html#vsis3-aws-s3-files",
            Self::RedisCli => "https://redis.io/docs/latest/develop/tools/cli/",
            Self::Celery => "https://github.com/celery/celery/blob/main/celery/app/utils.py",
            Self::Airflow => "https://airflow.apache.org/docs/apache-airflow/stable/configurations-ref.html",
            Self::SpringBoot => "https://docs.spring.io/spring-boot/appendix/application-properties/index.html",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Profile;

    #[test]
    fn a_profile_is_written_as_it_is_read() {
        for profile in Profile::ALL {
            let text = serde_json::to_string(&profile).unwrap();
            assert_eq!(text, format!("\"{profile}\""));
        }
        assert!(Profile::DEFAULT.iter().all(|one| Profile::ALL.contains(one)));
    }
}
