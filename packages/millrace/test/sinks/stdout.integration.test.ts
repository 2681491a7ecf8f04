import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cli } from '../support/cli.ts'

const LINES = ['{"id":12345678901234567890,"timestamp":"noon"}', '98765432109876543210', 'no json']

test.each([
  { options: {}, want: [LINES[0], LINES[1], '"no json"'] },
  {
    options: { include_timestamp: true },
    want: [
      '{"timestamp":null,"data":{"id":12345678901234567890,"timestamp":"noon"}}',
      '{"timestamp":null,"data":98765432109876543210}',
      '{"timestamp":null,"data":"no json"}',
    ],
  },
  {
    options: { format: 'pretty' },
    want: ['{', '  "id": 12345678901234567890,', '  "timestamp": "noon"', '}', LINES[1], '"no json"'],
  },
  {
    options: { format: 'tsv', include_timestamp: true },
    want: ['timestamp\tid\tdata.timestamp', 'null\t12345678901234567890\tnoon', 'null\t\t', 'null\t\t'],
  },
  { options: { format: 'text' }, want: LINES },
])('prints all digits and every field: $options', async ({ options, want }) => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-'))
  await writeFile(join(directory, 'in.jsonl'), LINES.join('\n'))
  const file = join(directory, 'p.json')
  const source = { type: 'file', options: { path: 'in.jsonl' } }
  await writeFile(file, JSON.stringify({ source, sink: { type: 'stdout', options } }))
  const { code, stdout, stderr } = await cli(['run', file])
  expect([code, stdout.slice(0, -1).split('\n')], stderr).toEqual([0, want])
})
