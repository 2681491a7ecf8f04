/** The files of the dashboard, which are built into the package. */
import { readFile } from 'node:fs/promises'

const TYPES: { readonly [ending: string]: string } = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

export interface StaticFile {
  readonly type: string
  readonly bytes: Buffer
}

/** In the package beside this file's folder; in a checkout, where this is the source, as it was built. */
const FOLDERS = ['../dashboard/', '../../dist/dashboard/'].map((folder) => new URL(folder, import.meta.url))

/** @param name without folders. @returns undefined when there is no such file */
export async function staticFile(name: string): Promise<StaticFile | undefined> {
  const [, ending] = /^[\w-]+\.([a-z]+)$/.exec(name) ?? []
  const type = ending === undefined ? undefined : TYPES[ending]
  if (type === undefined) return undefined
  for (const folder of FOLDERS) {
    const bytes = await readFile(new URL(name, folder)).catch(() => undefined)
    if (bytes !== undefined) return { type, bytes }
  }
  return undefined
}
