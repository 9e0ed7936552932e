"""An OTLP/HTTP receiver: decodes what it is sent and prints each span as a line of JSON."""

import gzip
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Receiver(BaseHTTPRequestHandler):
    delay_s = 0.0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        time.sleep(self.delay_s)
        for group in request.resource_spans:
            service = {a.key: a.value.string_value for a in group.resource.attributes}
            for scope in group.scope_spans:
                for span in scope.spans:
                    self._say(span, service["service.name"])
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _say(self, span: Span, service: str) -> None:
        attributes = {}
        for attribute in span.attributes:
            field = attribute.value.WhichOneof("value")
            value = getattr(attribute.value, field)
            if field == "array_value":
                value = [item.string_value for item in value.values]
            attributes[attribute.key] = value
        said = {
            "path": self.path,
            "service": service,
            "name": span.name,
            "trace_id": span.trace_id.hex(),
            "span_id": span.span_id.hex(),
            "parent_id": span.parent_span_id.hex(),
            "kind": span.kind,
            "status": span.status.code,
            "duration_us": (span.end_time_unix_nano - span.start_time_unix_nano) // 1000,
            "start_us": span.start_time_unix_nano // 1000,
            "attributes": attributes,
        }
        print(json.dumps(said), flush=True)  # noqa: T201 - its output

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    Receiver.delay_s = float(sys.argv[1])
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    print(server.server_address[1], flush=True)  # noqa: T201 - its output
    server.serve_forever()
