// SPDX-License-Identifier: Apache-2.0
// Servers of proxy_session.sh: HTTPS with HTTP/2 and HTTP/1.1 (443), HTTPS without HTTP/2 (8443), plain HTTP (80), a server
// that shows the certificate of another name (9443), WebSocket on all of them, and a parent proxy with a password (3128).
// usage: lib_proxy_server.js DIR ADDRESS   (DIR: server.crt, server.key, www/; requests are logged there)
'use strict';
const fs = require('fs'), http = require('http'), https = require('https'), http2 = require('http2'), net = require('net');
const crypto = require('crypto'), path = require('path');
const [dir, address] = process.argv.slice(2);
const own = { key: fs.readFileSync(`${dir}/server.key`), cert: fs.readFileSync(`${dir}/server.crt`) };
const other = { key: fs.readFileSync(`${dir}/key.pem`), cert: fs.readFileSync(`${dir}/ca.pem`) };
const log = (file, line) => fs.appendFileSync(`${dir}/${file}`, line + '\n');

function file(url) {
  const name = path.normalize(`${dir}/www${url.split('?')[0].replace(/^\/v1/, '').replace(/\/$/, '/index.html')}`);
  return fs.existsSync(name) && fs.statSync(name).isFile() ? fs.readFileSync(name) : null;
}

function answer(req, res) {
  let size = 0;
  log('requests.log', `${req.httpVersion} ${req.method} ${req.headers[':authority'] || req.headers.host} ${req.url}`);
  if (req.url === '/v1/never') return; // neither read nor answered
  req.on('data', d => { size += d.length; });
  req.on('end', () => {
    const text = `${req.method} ${req.url} ${size} over ${req.httpVersion}`;
    const content = file(req.url);
    if (content) { if (req.url.endsWith('/')) res.setHeader('content-type', 'text/html'); res.end(content); return; }
    if (req.url === '/v1/304') { res.writeHead(304, { etag: '"x"' }); res.end(); return; }
    if (req.url === '/v1/close') { res.socket.write(`HTTP/1.1 200 OK\r\n\r\n${text}`); res.socket.end(); return; }
    if (req.url === '/v1/trailers') {
      res.writeHead(200, req.httpVersion === '2.0' ? {} : { Trailer: 'x-sum' });
      res.write(text);
      res.addTrailers({ 'x-sum': '42' });
      res.end();
      return;
    }
    if (req.url === '/v1/large') { res.end(Buffer.alloc(8 << 20, 'x')); return; }
    res.setHeader('content-length', Buffer.byteLength(text));
    res.end(req.method === 'HEAD' ? undefined : text);
  });
}

function upgrade(req, socket) {
  log('requests.log', `upgrade ${req.headers.host} ${req.url}`);
  const accept = crypto.createHash('sha1').update(req.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.on('data', d => socket.write(d)); // frames are echoed as they come
  socket.on('error', () => {});
}

// The parent proxy: CONNECT and absolute form, for user "user" with the password "p@ss:word".
const parent = http.createServer((req, res) => {
  if (!allowed(req)) { res.writeHead(407); res.end(); return; }
  log('parent.log', `${req.method} ${req.url}`);
  const to = http.request({ host: address, path: req.url, method: req.method, headers: { host: req.headers.host } }, r => { res.writeHead(r.statusCode, r.headers); r.pipe(res); });
  req.pipe(to);
});
function allowed(req) {
  return req.headers['proxy-authorization'] === 'Basic ' + Buffer.from('user:p@ss:word').toString('base64');
}
parent.on('connect', (req, socket) => {
  socket.on('error', () => {});
  if (!allowed(req)) { socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'); return; }
  log('parent.log', `CONNECT ${req.url}`);
  const port = Number(req.url.split(':').pop());
  const up = net.connect(port, address, () => { socket.write('HTTP/1.1 200 OK\r\n\r\n'); up.pipe(socket); socket.pipe(up); });
  up.on('error', () => socket.destroy());
});

const servers = [
  [http2.createSecureServer({ allowHTTP1: true, ...own }, answer), 443], [https.createServer(own, answer), 8443],
  [https.createServer(other, answer), 9443], [http.createServer(answer), 80], [parent, 3128],
];
let left = servers.length;
for (const [server, port] of servers) {
  if (server !== parent) server.on('upgrade', upgrade);
  server.on('error', e => { console.error(e.message); process.exit(1); });
  server.listen(port, address, () => { if (--left === 0) log('ready.proxy', 'yes'); });
}
