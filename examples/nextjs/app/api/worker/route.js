import process from 'node:process'

export const dynamic = 'force-dynamic'

export function GET() {
  return Response.json({ worker: process.pid })
}
