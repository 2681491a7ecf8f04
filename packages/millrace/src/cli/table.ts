/** Tables for people. */

/**
 * Lines with columns of equal width: numbers to the right, text to the left, `-` for what is not known.
 * @returns with a line feed at the end of each
 */
export function tableOf(names: readonly string[], rows: readonly (readonly (string | number | undefined)[])[]): string {
  const isNumeric = names.map(
    (_, i) => rows.every((row) => typeof row[i] !== 'string') && rows.some((row) => row[i] !== undefined),
  )
  const cells = [names, ...rows.map((row) => row.map((cell) => String(cell ?? '-')))]
  const widths = names.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)))
  return cells
    .map((line) =>
      line
        .map((cell, i) => (isNumeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}
