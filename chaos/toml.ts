/** Writes TOML: tables and lists of tables under headers of their own, everything else in one line. */

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

export function toToml(document: { readonly [key: string]: unknown }): string {
  return Object.entries(document)
    .flatMap(([key, value]) =>
      Array.isArray(value)
        ? value.map((each) => `[[${key}]]\n${tableOf(each as { readonly [key: string]: Json })}`)
        : [`[${key}]\n${tableOf(value as { readonly [key: string]: Json })}`],
    )
    .join('\n')
}

function tableOf(table: { readonly [key: string]: Json }): string {
  return entriesOf(table)
    .map((entry) => `${entry}\n`)
    .join('')
}

function entriesOf(table: { readonly [key: string]: Json }): string[] {
  return Object.entries(table)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${JSON.stringify(key)} = ${inline(value)}`)
}

function inline(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((each: Json) => inline(each)).join(', ')}]`
  return typeof value === 'object'
    ? `{ ${entriesOf(value as { [key: string]: Json }).join(', ')} }`
    : JSON.stringify(value)
}
