//! Which service answers a call: by the first segment of its path.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use tonic::{
    Status,
    body::Body,
    codegen::{BoxFuture, Service, http},
    server::NamedService,
};

use crate::{
    generated::{
        health::health_server::HealthServer,
        plugin::{
            grpc_broker_server::GrpcBrokerServer, grpc_controller_server::GrpcControllerServer,
            grpc_stdio_server::GrpcStdioServer,
        },
        tfplugin6::provider_server::ProviderServer,
    },
    host::Host,
    server::Server,
};

/// Terraform's own limit, in both directions; gRPC's usual 4 MiB refuses large states.
const MESSAGE_LIMIT: usize = 256 << 20;

/// Every service of the process. Cheap to clone: each call does.
#[derive(Debug, Clone)]
pub(crate) struct Router {
    provider: ProviderServer<Server>,
    controller: GrpcControllerServer<Host>,
    broker: GrpcBrokerServer<Host>,
    stdio: GrpcStdioServer<Host>,
    health: HealthServer<Host>,
}

impl Router {
    pub(crate) fn new(server: Server, host: Host) -> Self {
        Self {
            provider: ProviderServer::new(server)
                .max_decoding_message_size(MESSAGE_LIMIT)
                .max_encoding_message_size(MESSAGE_LIMIT),
            controller: GrpcControllerServer::new(host.clone()),
            broker: GrpcBrokerServer::new(host.clone()),
            stdio: GrpcStdioServer::new(host.clone()),
            health: HealthServer::new(host),
        }
    }
}

impl Service<http::Request<Body>> for Router {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        match request.uri().path().split('/').nth(1).unwrap_or_default() {
            ProviderServer::<Server>::NAME => self.provider.call(request),
            GrpcControllerServer::<Host>::NAME => self.controller.call(request),
            GrpcBrokerServer::<Host>::NAME => self.broker.call(request),
            GrpcStdioServer::<Host>::NAME => self.stdio.call(request),
            HealthServer::<Host>::NAME => self.health.call(request),
            // Terraform probes for reflection and newer services this way.
            _ => Box::pin(async { Ok(Status::unimplemented("there is no such service").into_http()) }),
        }
    }
}
