"""A server on this machine that answers like the sites that a release is uploaded to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HUB_CROISSANT = {
    "@context": {"@vocab": "https://schema.org/", "sc": "https://schema.org/"},
    "@type": "sc:Dataset",
    "conformsTo": "http://mlcommons.org/croissant/1.1",
    "name": "noisy-visor",
    "distribution": [
        {
            "@type": "cr:FileObject",
            "@id": "repo",
            "name": "repo",
            "contentUrl": "https://huggingface.co/datasets/NAME/noisy-visor",
            "encodingFormat": "git+https",
            "sha256": "https://github.com/mlcommons/croissant/issues/80",
        },
        {
            "@type": "cr:FileSet",
            "@id": "rows",
            "containedIn": {"@id": "repo"},
            "encodingFormat": "application/x-parquet",
            "includes": "text-40/*/*.parquet",
        },
    ],
    "recordSet": [
        {
            "@type": "cr:RecordSet",
            "@id": "text-40",
            "name": "text-40",
            "field": [
                {
                    "@type": "cr:Field",
                    "@id": "text-40/prompt",
                    "dataType": "sc:Text",
                    "source": {"fileSet": {"@id": "rows"}, "extract": {"column": "prompt"}},
                }
            ],
        }
    ],
}
"""A file as the Hub makes it: core fields, and its own files and records."""


class UploadServer(ThreadingHTTPServer):
    """Keep what is sent by method and path; answer a new deposit of Zenodo."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: dict[tuple[str, str], bytes] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: UploadServer

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.received[self.command, self.path] = body
        if "/deposit/" in self.path and self.headers["Authorization"] != "Bearer secret":
            self.send_error(401)
            return
        base = self.server.address
        deposit = {
            "metadata": {"prereserve_doi": {"doi": "10.5281/zenodo.15"}},
            "links": {"bucket": f"{base}/files/15", "self": f"{base}/api/deposit/depositions/15"},
        }
        text = HUB_CROISSANT if self.path.endswith("/croissant") else deposit
        answer = json.dumps(text).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serve_uploads() -> Iterator[UploadServer]:
    """Run the server while the block runs."""
    with UploadServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
