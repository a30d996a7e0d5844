/**
 * What `serve` uses of node:http, without its module around it: an `import` from there evaluates everything that it exports, WebSocket among
 * it, for which Node loads undici and node:http2. That is 13 MB of memory and 30 ms at every start (Node 24).
 */
export const { Agent, createServer, request } = process.getBuiltinModule('node:http');
