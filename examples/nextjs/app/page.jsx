import process from 'node:process'

// Rendered for each request.
export const dynamic = 'force-dynamic'

export default function Page() {
  return <p>worker {process.pid}</p>
}
