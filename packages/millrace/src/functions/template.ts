/**
 * Templates of `http.fetch`: `{{ column }}`, `{{ column.inner }}`, and `{{#each list}} ... {{this.column}} ... {{/each}}`.
 */
import { cellText } from './row-text.ts'
import { columnReader, type Row } from './values.ts'

/** Makes a value fit for where it is put. */
export type Escape = (text: string, isAtStart: boolean) => string

/** In an address: everything but what begins it, which may be a whole address. */
export const escapeUrl: Escape = (text, isAtStart) => (isAtStart ? text : encodeURIComponent(text))

/** In a body of JSON: as inside of quotes. Objects and lists are put in as JSON. */
export const escapeJson: Escape = (text) => JSON.stringify(text).slice(1, -1)

export function render(template: string, context: Row, escape: Escape): string {
  const repeated = template.replace(
    /\{\{#each\s+([\w.@]+)\s*\}\}([\s\S]*?)\{\{\/each\}\}/g,
    (_, name: string, inner: string) => {
      const list = columnReader(name)(context)
      if (!Array.isArray(list)) return ''
      return list
        .map((item: unknown, i) =>
          fill(
            inner,
            {
              ...(isRow(item) ? item : {}),
              this: item,
              '@index': i,
              '@first': i === 0,
              '@last': i === list.length - 1,
            },
            escape,
          ),
        )
        .join('')
    },
  )
  return fill(repeated, context, escape)
}

function fill(template: string, context: Row, escape: Escape): string {
  return template.replace(/\{\{\{?\s*([^{}#/\s]+)\s*\}?\}\}/g, (_, name: string, at: number) => {
    const value = columnReader(name)(context)
    return typeof value === 'object' && value !== null ? JSON.stringify(value) : escape(cellText(value), at === 0)
  })
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
