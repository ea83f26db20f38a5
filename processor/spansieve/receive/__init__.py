"""The OTLP edge: gRPC and HTTP servers that hand requests to an Acceptor and tell the sender what became of them."""

from spansieve.receive.grpc import GrpcReceiverServer
from spansieve.receive.http import HttpReceiverServer
from spansieve.receive.ports import Acceptor, RequestObserver

__all__ = ["Acceptor", "GrpcReceiverServer", "HttpReceiverServer", "RequestObserver"]
