"""A gRPC server that shares no code with the gateway: the C core of grpcio behind the service of peer.proto.

Messages are read and written by hand, so that nothing but the transport is needed. On standard output it writes
`port N` when it listens, `deadline SECONDS` for each call of Wait, and `cancelled` when the caller of one gave up.
With a folder of certificates as its argument it speaks TLS, asks for a certificate, and sends its messages in gzip.
"""

import concurrent.futures
import pathlib
import sys
import threading

import grpc


def read_varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def read_ask(data):
    text, number, at = "", 0, 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag == 0x0A:
            length, at = read_varint(data, at)
            text, at = data[at : at + length].decode(), at + length
        elif tag == 0x10:
            number, at = read_varint(data, at)
        else:
            raise ValueError(f"unknown tag {tag}")
    return text, number


def write_told(text):
    data = text.encode()
    length, head = len(data), bytearray([0x0A])
    while length >= 0x80:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + data


def say(*words):
    print(*words, flush=True)


def echo(ask, context):
    text, number = ask
    seen = dict(context.invocation_metadata())
    context.send_initial_metadata((("x-seen", seen.get("x-user", "")), ("x-seen-bin", seen.get("x-trace-bin", b""))))
    context.set_trailing_metadata((("x-last-bin", b"\x00\xff\xfe"), ("x-last", "two words")))
    return text * max(number, 1)


def fail(ask, context):
    text, number = ask
    if text == "trailers":
        context.send_initial_metadata((("x-begun", "yes"),))
    context.abort(next(code for code in grpc.StatusCode if code.value[0] == number), "a text: 100 % “quoted”")


def wait(_ask, context):
    over = threading.Event()
    context.add_callback(over.set)
    say("deadline", context.time_remaining())
    over.wait()
    say("cancelled")
    return ""


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(8),
        options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)],
        compression=grpc.Compression.Gzip if folder else None,
    )
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(behavior, read_ask, write_told)
        for name, behavior in {"Echo": echo, "Fail": fail, "Wait": wait}.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("peer.v1.Peer", handlers),))
    if folder:
        pair = ((folder / "server.key").read_bytes(), (folder / "server.pem").read_bytes())
        authority = (folder / "authority.pem").read_bytes()
        secured = grpc.ssl_server_credentials([pair], root_certificates=authority, require_client_auth=True)
        say("port", server.add_secure_port("127.0.0.1:0", secured))
    else:
        say("port", server.add_insecure_port("127.0.0.1:0"))
    server.start()
    # The test closes standard input when it is done.
    sys.stdin.read()
    server.stop(None)


main()
