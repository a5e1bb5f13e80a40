// The program of the other managers, with as many modules as a service has: 440 of them.
import '@grpc/grpc-js'
import 'express'
import 'fastify'
import 'koa'
import 'socket.io'
import 'ws'

// What it imports is loaded by then, as in a service.
await import('../managers/program.js')
