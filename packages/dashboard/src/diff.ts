/** What is different between two values, line by line of their JSON. */

export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
}

/** Longer ones are shown one below the other. */
const MOST_LINES = 400

export function diffLines(before: string, after: string): readonly DiffLine[] {
  const [a, b] = [linesOf(before), linesOf(after)]
  if (a.length > MOST_LINES || b.length > MOST_LINES)
    return [
      ...a.map((text) => ({ kind: 'removed', text }) as const),
      ...b.map((text) => ({ kind: 'added', text }) as const),
    ]
  // Length of the longest common part of what begins at each pair of lines.
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i]![j] = a[i] === b[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!)
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    if (i < a.length && a[i] === b[j]) {
      lines.push({ kind: 'same', text: a[i]! })
      i++
      j++
    } else if (i < a.length && (j >= b.length || common[i + 1]![j]! >= common[i]![j + 1]!))
      lines.push({ kind: 'removed', text: a[i++]! })
    else lines.push({ kind: 'added', text: b[j++]! })
  }
  return lines
}

/** JSON with a line for each field, without commas, so that a field that was added changes one line; other text as it is. */
export function linesOf(text: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(text, exactly)
    return JSON.stringify(value, undefined, 2).replaceAll(/,$/gm, '').split('\n')
  } catch {
    return text.split('\n')
  }
}

interface ExactJson {
  readonly rawJSON?: (text: string) => unknown
}

/** Numbers keep their digits, where the browser can do that. */
function exactly(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  const { rawJSON } = JSON as ExactJson
  return typeof value === 'number' && context?.source !== undefined && rawJSON !== undefined
    ? rawJSON(context.source)
    : value
}
