// Pure: what every drawing of the benchmarks has.

/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** @type {(x: number, y: number, text: string, attributes?: string) => string} */
export const label = (x, y, text, attributes = '') => `<text x="${x}" y="${y}" ${attributes}>${escaped(text)}</text>`

/** @param {{ title: string, style: string, width: number, height: number }} about @param {readonly string[]} parts */
export function svg({ title, style, width, height }, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title><style>${style}</style>
${parts.join('\n')}
</svg>
`
}
