"""The OTLP edge: gRPC and HTTP servers that hand requests to an Acceptor and tell the sender what became of them."""

from spansieve.receive.grpc import GRPC_KEY, GrpcReceiverServer
from spansieve.receive.http import HTTP_KEY, HttpReceiverServer
from spansieve.receive.ports import Acceptor, RequestObserver

__all__ = ["GRPC_KEY", "HTTP_KEY", "Acceptor", "GrpcReceiverServer", "HttpReceiverServer", "RequestObserver"]
