import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LAYERS } from '../../../layers.ts'

/** A file or folder without a row would escape the rules on who may import whom. */
test('every file and folder of src has its row in the table of layers', () => {
  const names = LAYERS.map(({ name }) => name)
  const entries = readdirSync(join(import.meta.dirname, '../src'))
  expect(entries.filter((entry) => !names.includes(entry))).toEqual([])
})
