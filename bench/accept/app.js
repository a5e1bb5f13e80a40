// An unmodified program: what `reuseport run`, pm2 and cluster start. PORT: the port. It answers with its process id.
import http from 'node:http'
import process from 'node:process'

const answer = `${process.pid}`
http.createServer((_request, response) => response.end(answer)).listen(Number(process.env['PORT']), '127.0.0.1')
