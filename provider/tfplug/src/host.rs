//! The services that go-plugin's host expects beside the provider: shutdown, side channels, output and health.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming, async_trait, codegen::BoxStream};

use crate::generated::{
    health::{HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server::Health},
    plugin::{
        ConnInfo, StdioData, grpc_broker_server::GrpcBroker, grpc_controller_server::GrpcController,
        grpc_stdio_server::GrpcStdio,
    },
};
use crate::server::Server;

/// Answers for the process as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    /// Cancelled when the process should end; also ends the streams that are held open.
    pub(crate) shutdown: CancellationToken,
    /// False in debug mode, where a person decides when the server ends.
    pub(crate) may_shut_down: bool,
    /// Set when the plugin host ends this process by its own word, has every answer and has not asked to stop.
    pub(crate) dismissed: Arc<AtomicBool>,
    pub(crate) server: Server,
}

#[async_trait]
impl GrpcController for Host {
    async fn shutdown(&self, _: Request<()>) -> Result<Response<()>, Status> {
        if self.may_shut_down {
            self.dismissed.store(self.server.is_done(), Ordering::Relaxed);
            self.shutdown.cancel();
        }
        Ok(Response::new(()))
    }
}

#[async_trait]
impl GrpcBroker for Host {
    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<BoxStream<ConnInfo>>, Status> {
        let (sender, receiver) = mpsc::channel(1);
        let shutdown = self.shutdown.clone();
        let mut offers = request.into_inner();
        tokio::spawn(async move {
            let ended = async { while let Some(Ok(_)) = offers.next().await {} };
            tokio::select! {
                () = ended => {}
                () = shutdown.cancelled() => {}
            }
            drop(sender);
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

#[async_trait]
impl GrpcStdio for Host {
    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<BoxStream<StdioData>>, Status> {
        let (sender, receiver) = mpsc::channel(1);
        let shutdown = self.shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = sender.closed() => {}
                () = shutdown.cancelled() => {}
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

#[async_trait]
impl Health for Host {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        match request.into_inner().service.as_str() {
            "" | "plugin" => Ok(Response::new(HealthCheckResponse {
                status: ServingStatus::Serving.into(),
            })),
            other => Err(Status::not_found(format!("there is no service `{other}`"))),
        }
    }
}
