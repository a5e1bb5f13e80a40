// Compiled by scripts/check-types.mjs, which reads what the compiler says of each line.
import dgram from 'node:dgram'
import http from 'node:http'
import { bindReusePort, listenReusePort } from 'reuseport'

listenReusePort(http.createServer(), { prot: 8080 })
listenReusePort(http.createServer(), { port: 8080, hots: '::' }, () => {})
bindReusePort(dgram.createSocket('udp4'), { prot: 8080 })
