/** Orders of a collection of Flow: as documents that are stored, and as the records that come out, of about 300 bytes. */

export interface Order {
  readonly id: number
  /** In the order of their names: `amount`, `customer`, `flow_published_at`, `note`. */
  readonly values: readonly [amount: number, customer: string, publishedAt: string, note: string]
}

export const ORDER_FIELDS = { keys: ['id'], values: ['amount', 'customer', 'flow_published_at', 'note'] } as const

const NOTE_LETTERS = 190

/** The same orders in every run. */
export function orders(count: number): Order[] {
  let state = 1
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state >>> 8) % below
  }
  const note = Array.from({ length: 4096 }, () => String.fromCharCode(97 + next(26))).join('')
  return Array.from({ length: count }, (_, id) => {
    const from = next(note.length - NOTE_LETTERS)
    const publishedAt = `2026-01-01T00:00:${String(next(60)).padStart(2, '0')}.000000000Z`
    return {
      id,
      values: [next(100_000) / 8, `customer-${next(10_000)}`, publishedAt, note.slice(from, from + NOTE_LETTERS)],
    }
  })
}

/** Key and value as materialize-kafka writes them. */
export function recordOf({ id, values: [amount, customer, publishedAt, note] }: Order): { key: string; value: string } {
  const number = Number.isInteger(amount) ? `${amount}.0` : String(amount)
  return {
    key: `{"id":${id}}`,
    value: `{"amount":${number},"customer":"${customer}","flow_published_at":"${publishedAt}","id":${id},"note":"${note}"}`,
  }
}
