// The peer uWebSockets, as Bun carries it; called by the comparison as `bun server.mjs ADDRESS [HEARTBEAT]`.
//
// Rooms are uWebSockets' own topics, heartbeat is its own too: a ping after so long a silence, on a
// clock that ticks every four seconds.

const MAX_MESSAGE = 64 * 1024 * 1024;
const MAX_BACKLOG = 256 * 1024 * 1024;

const [, , address, seconds = '0'] = process.argv;
const [, hostname, port] = /^(.+):(\d+)$/.exec(address);
const heartbeat = Number(seconds);

// uWebSockets pings 4, 8 or 16 seconds before its time-out, more if the time-out is longer.
function timeout(silence) {
  const margin = silence < 8 ? 4 : silence < 16 ? 8 : 16;
  return silence + margin;
}

Bun.serve({
  hostname,
  port: Number(port),
  fetch(request, server) {
    const inRoom = request.url.endsWith('/room');
    return server.upgrade(request, { data: inRoom }) ? undefined : new Response(null, { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    maxPayloadLength: MAX_MESSAGE,
    backpressureLimit: MAX_BACKLOG,
    closeOnBackpressureLimit: false,
    idleTimeout: heartbeat ? timeout(heartbeat) : 0,
    sendPings: heartbeat > 0,
    open(socket) {
      if (socket.data) socket.subscribe('room');
    },
    message(socket, message) {
      if (socket.data) socket.publish('room', message);
      else socket.send(message);
    },
  },
});

console.log(`listening on ${address}`);
