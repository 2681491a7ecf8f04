/**
 * Guesses what a misspelled name was meant to be.
 */

/** The candidate closest to a name, or undefined when none is close enough to be helpful. */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(name)
  // Of signs such as `=>`, only the same in another order is a guess worth making.
  if (wanted === '') return [...candidates].find((candidate) => sorted(candidate) === sorted(name))
  let best: string | undefined
  // A third of the letters may be wrong; beyond that a guess annoys more than it helps.
  let bestDistance = (wanted.length < 3 ? 0 : Math.max(1, Math.floor(wanted.length / 3))) + 1
  for (const candidate of candidates) {
    const distance = editDistance(wanted, plain(candidate))
    // Of two spellings of one name the one in the style of the writer: `linger.sm` means `linger.ms`, not `lingerMs`.
    const isNicer =
      distance === bestDistance && best !== undefined && editDistance(name, candidate) < editDistance(name, best)
    if (distance < bestDistance || isNicer) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** `did you mean "x"`, or undefined. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const guess = closest(name, candidates)
  return guess === undefined ? undefined : `did you mean "${guess}"`
}

function sorted(text: string): string {
  return text.split('').toSorted().join('')
}

/** `linger_ms`, `lingerMs` and `linger.ms` are one name to a reader. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9$]/g, '')
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(replaced, last[j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, beforeLast[j - 2]! + 1)
    }
    beforeLast = last
    last = row
  }
  return last[b.length]!
}
