// The peer ws, on Node; called by the comparison as `node server.mjs ADDRESS [HEARTBEAT]`.
//
// A broadcast is the loop of the package's documentation, which frames a message once for each member.
// Heartbeat is one interval over all clients, as it is documented too. `bufferutil`, which its
// documentation recommends, is used where it installs.

import { WebSocketServer } from 'ws';

const MAX_MESSAGE = 64 * 1024 * 1024;

const [, , address, seconds = '0'] = process.argv;
const [, host, port] = /^(.+):(\d+)$/.exec(address);
const heartbeat = Number(seconds);

const room = new Set();
const server = new WebSocketServer({
  host,
  port: Number(port),
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE,
  clientTracking: heartbeat > 0,
});

server.on('connection', (socket, request) => {
  socket.on('error', () => {}); // a lost connection is the end of it
  if (request.url === '/room') talk(socket);
  else socket.on('message', (message, binary) => socket.send(message, { binary }));
});

function talk(socket) {
  room.add(socket);
  socket.on('close', () => room.delete(socket));
  socket.on('message', (message, binary) => {
    for (const member of room) {
      if (member !== socket) member.send(message, { binary });
    }
  });
}

if (heartbeat) {
  setInterval(() => {
    for (const socket of server.clients) socket.ping();
  }, heartbeat * 1000);
}

server.on('listening', () => console.log(`listening on ${address}`));
