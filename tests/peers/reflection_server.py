"""A gRPC server that says what it promises, through grpcio-reflection; nothing here shares code with the gateway.

The arguments are the versions of reflection that it speaks, `v1` or `v1alpha`. grpcio-reflection knows v1alpha, whose
messages are those of v1. Its files are two, of which the second imports the first; each is sent alone. Callers
without the metadata `x-token: t` are refused. `--tls FOLDER` before the versions makes it speak TLS, with callers that
show a certificate of the authority in that folder. It writes `port N` when it listens, and `done` when it has done what a
line of its standard input says:

    text NAME   from now on the second field of its replies is called NAME
    forget      from now on it does not know its rpc
"""

import argparse
import concurrent.futures
import pathlib
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha import reflection, reflection_pb2

TEXT, MESSAGE = "TYPE_STRING", "TYPE_MESSAGE"


def field(name, number, kind, type_name=None):
    named = {"typeName": type_name} if type_name else {}
    return {"name": name, "number": number, "label": "LABEL_OPTIONAL", "type": kind, **named}


KEYS = {
    "name": "mirror/keys.proto",
    "package": "mirror.v1",
    "syntax": "proto3",
    "messageType": [{"name": "Key", "field": [field("id", 1, TEXT)]}],
}
MIRROR = {
    "name": "mirror/mirror.proto",
    "package": "mirror.v1",
    "syntax": "proto3",
    "dependency": ["mirror/keys.proto"],
    "service": [
        {"name": "Mirror", "method": [{"name": "Get", "inputType": ".mirror.v1.Key", "outputType": ".mirror.v1.Thing"}]}
    ],
}


class Alone(reflection.ReflectionServicer):
    """Sends each file without those that it imports, as some servers do."""

    def ServerReflectionInfo(self, request_iterator, context):
        for answer in super().ServerReflectionInfo(request_iterator, context):
            if answer.HasField("file_descriptor_response"):
                del answer.file_descriptor_response.file_descriptor_proto[1:]
            yield answer


def described(text):
    """What it promises, with this name for the second field of its replies."""
    pool = descriptor_pool.DescriptorPool()
    things = [{"name": "Thing", "field": [field("key", 1, MESSAGE, ".mirror.v1.Key"), field(text, 2, TEXT)]}]
    for file in (KEYS, {**MIRROR, "messageType": things}):
        pool.Add(json_format.ParseDict(file, descriptor_pb2.FileDescriptorProto()))
    return pool


def guarded(behavior):
    def handle(request, context):
        if dict(context.invocation_metadata()).get("x-token") != "t":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no token")
        return behavior(request, context)

    return handle


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", type=pathlib.Path)
    parser.add_argument("versions", nargs="*")
    return parser.parse_args()


def listen(server, folder):
    """The port, with the certificates of the folder if there is one."""
    if folder is None:
        return server.add_insecure_port("127.0.0.1:0")
    pair = ((folder / "server.key").read_bytes(), (folder / "server.pem").read_bytes())
    authority = (folder / "authority.pem").read_bytes()
    secured = grpc.ssl_server_credentials([pair], root_certificates=authority, require_client_auth=True)
    return server.add_secure_port("127.0.0.1:0", secured)


def main():
    said = arguments()
    pool = described("text")
    key, thing = (message_factory.GetMessageClass(pool.FindMessageTypeByName(f"mirror.v1.{name}")) for name in ("Key", "Thing"))
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
    state = {"knows": True}

    def answer(asked, context):
        if not state["knows"]:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "forgotten")
        return thing(key=asked, text=asked.id[::-1])

    get = grpc.unary_unary_rpc_method_handler(guarded(answer), key.FromString, thing.SerializeToString)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("mirror.v1.Mirror", {"Get": get}),))
    names = [f"grpc.reflection.{version}.ServerReflection" for version in said.versions]
    state["servicer"] = Alone(["mirror.v1.Mirror", *names], pool)
    info = grpc.stream_stream_rpc_method_handler(
        guarded(lambda asked, context: state["servicer"].ServerReflectionInfo(asked, context)),
        reflection_pb2.ServerReflectionRequest.FromString,
        reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    for name in names:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": info}),))
    print("port", listen(server, said.tls), flush=True)
    server.start()
    # The test closes standard input when it is done.
    for line in sys.stdin:
        match line.split():
            case ["text", name]:
                state["servicer"] = Alone(["mirror.v1.Mirror", *names], described(name))
            case ["forget"]:
                state["knows"] = False
        print("done", flush=True)
    server.stop(None)


main()
