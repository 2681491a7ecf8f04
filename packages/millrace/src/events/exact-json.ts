/**
 * JSON in which integers beyond 2^53 keep their digits: they are parsed into the text that they came as, and written back.
 */

// ES2025 gives a reviver the text of a number and JSON.rawJSON writes one; TypeScript's library does not know yet.
const exactJson = JSON as unknown as {
  rawJSON(text: string): { readonly rawJSON: string }
  isRawJSON(value: unknown): value is { readonly rawJSON: string }
}

const LONG_NUMBER = /\d{16}/
const INTEGER = /^-?\d+$/

/** @throws {SyntaxError} */
export function parseExact(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_name: string, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source
    return typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && INTEGER.test(source)
      ? exactJson.rawJSON(source)
      : value
  })
}

/** @returns the text of a value that `parseExact` gave, or that was made of parts of one */
export function stringifyExact(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

/** Whether two values are the same as far as a reader of JSON can tell. */
export function equalsText(value: unknown, text: string): boolean {
  return value === text || (exactJson.isRawJSON(value) && value.rawJSON === text)
}
