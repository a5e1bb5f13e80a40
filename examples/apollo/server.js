// Apollo Server behind Express on all cores. Its own shutdown by SIGTERM, with the plugin that drains the HTTP server, may stay: the
// supervisor has drained the server by the time the signal reaches the program.
//
//   npm install
//   npx reuseport run -n auto server.js 8080
//   curl -H 'content-type: application/json' -d '{"query":"{ worker }"}' http://127.0.0.1:8080/graphql
import http from 'node:http'
import process from 'node:process'
import { ApolloServer } from '@apollo/server'
import { ApolloServerPluginDrainHttpServer } from '@apollo/server/plugin/drainHttpServer'
import { expressMiddleware } from '@as-integrations/express5'
import express from 'express'

const typeDefs = `#graphql
  type Query {
    worker: Int!
    hello(name: String!): String!
  }
`
const resolvers = {
  Query: {
    worker: () => process.pid,
    /** @type {(parent: unknown, input: { name: string }) => string} */
    hello: (_parent, { name }) => `Hello ${name}`,
  },
}

const app = express()
const server = http.createServer(app)
const apollo = new ApolloServer({
  typeDefs,
  resolvers,
  plugins: [ApolloServerPluginDrainHttpServer({ httpServer: server })],
})
await apollo.start()
app.use('/graphql', express.json(), expressMiddleware(apollo))
server.listen(Number(process.argv[2] ?? 8080), '127.0.0.1')
