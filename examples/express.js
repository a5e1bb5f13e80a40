// An Express application on all cores.
//
//   npx reuseport run -n auto examples/express.js 8080
//   curl http://127.0.0.1:8080/
import process from 'node:process'
import express from 'express'

const app = express()
app.use(express.json())

app.get('/', (_request, response) => {
  response.json({ worker: process.pid })
})
app.post('/echo', (request, response) => {
  response.json({ worker: process.pid, body: request.body })
})
app.use((error, _request, response, _next) => {
  console.error(error.message)
  response.status(error.status ?? 500).json({ error: 'the request could not be answered' })
})

app.listen(Number(process.argv[2] ?? 8080), '127.0.0.1', (error) => {
  // Express 5 gives the error of a taken port to this function alone.
  if (error) throw error
})
