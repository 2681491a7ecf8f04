/** Charts as SVG, without a library: horizontal bars that are legible on light and dark pages. */

export interface Bar {
  label: string
  value: number
  low: number
  high: number
  isOurs: boolean
}

const WIDTH = 720
const LABEL_WIDTH = 170
const VALUE_WIDTH = 80
const ROW = 26
const BAR = 16
const TOP = 40

/** @param title one line above the bars */
export function barChart(title: string, bars: readonly Bar[]): string {
  const height = TOP + bars.length * ROW + 8
  const most = Math.max(...bars.flatMap(({ value, high }) => [value, high]))
  const scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / most
  const rows = bars.map(({ label, value, low, high, isOurs }, i) => {
    const y = TOP + i * ROW
    const middle = y + BAR / 2
    const at = (number: number): string => (LABEL_WIDTH + number * scale).toFixed(1)
    return [
      `<text x="${LABEL_WIDTH - 8}" y="${middle + 4}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${Math.max(1, value * scale).toFixed(1)}" height="${BAR}" class="${isOurs ? 'ours' : 'peer'}"/>`,
      `<line x1="${at(low)}" x2="${at(high)}" y1="${middle}" y2="${middle}"/>`,
      `<text x="${(LABEL_WIDTH + Math.max(value, high) * scale + 8).toFixed(1)}" y="${middle + 4}">${short(value)}</text>`,
    ].join('\n  ')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
  <style>
    text { font: 13px sans-serif; fill: #24292f } .title { font-weight: bold } .ours { fill: #1f6feb } .peer { fill: #8c959f } line { stroke: #24292f }
    @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } line { stroke: #e6edf3 } }
  </style>
  <text x="0" y="20" class="title">${escaped(title)}</text>
  ${rows.join('\n  ')}
</svg>`
}

/** Three digits that count: 7.09 M, 426 k, 1.23. */
function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`
  if (value >= 1e3) return `${Math.round(value / 1e3)} k`
  return String(Number(value.toPrecision(3)))
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
