/** Assembles the WebAssembly text of the block codecs into the module that the package carries. */
import { readFile } from 'node:fs/promises'
import wabt from 'wabt'

const FOLDER = 'packages/millrace/src/kafka/protocol/compression'
const SOURCE = `${FOLDER}/blocks.wat`
export const BLOCKS_MODULE_FILE = `${FOLDER}/blocks-module.ts`

const LINE = 100

/** The text of `blocks-module.ts`. */
export async function blocksModule(): Promise<string> {
  const text = await readFile(new URL(`../../${SOURCE}`, import.meta.url), 'utf8')
  const assembled = (await wabt()).parseWat(SOURCE, text, { simd: true, bulk_memory: true })
  const base64 = Buffer.from(assembled.toBinary({}).buffer).toString('base64')
  assembled.destroy()
  const lines = base64.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? []
  return [
    '/** `blocks.wat` as it was assembled by `npm run docs`, in base64. */',
    'export const BLOCKS_MODULE =',
    lines.map((line) => `  '${line}'`).join(' +\n'),
  ].join('\n')
}
