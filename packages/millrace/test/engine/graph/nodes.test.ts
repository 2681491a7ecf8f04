import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { graphFile, runGraphHere, type GraphStage } from '../../support/graphs.ts'

/** Forty times, rows go two ways and meet again: more than 10^12 ways from the source to the sink, of which rows take one. */
function meeting(last: GraphStage): GraphStage[] {
  const stages: GraphStage[] = [{ id: 'from-0', function: 'json.read', config: { path: 'in.json' } }]
  for (let i = 0; i < 40; i++) {
    const inputs = [`from-${i}`]
    stages.push(
      { id: `all-${i}`, function: 'filter.apply', inputs, config: { column: 'n', operator: '>=', value: 0 } },
      { id: `none-${i}`, function: 'filter.apply', inputs, config: { column: 'n', operator: '<', value: 0 } },
      { id: `from-${i + 1}`, function: '$match', inputs: [`all-${i}`, `none-${i}`], config: {} },
    )
  }
  const save = { id: 'save', function: 'json.write', inputs: [last.id], config: { path: 'out.json' } }
  return [...stages, { ...last, inputs: ['from-40'] }, save]
}

describe('a graph whose branches meet again and again', () => {
  // The ways from stage to stage were gone one by one, so that thirty such stages kept a run from ever beginning.
  test.each([
    {
      name: 'runs',
      last: { id: 'last', function: '$match', config: {} },
      ended: 'source',
      written: [{ n: 1 }, { n: 2 }],
    },
    {
      name: 'ends when its last stage wants no more',
      last: { id: 'last', function: '$limit', config: 1 as never },
      ended: 'stage',
      written: [{ n: 1 }],
    },
  ])('$name', async ({ last, ended, written }) => {
    const file = await graphFile(meeting(last))
    await writeFile(join(dirname(file), 'in.json'), '[{"n":1},{"n":2}]')
    expect(await runGraphHere(file)).toMatchObject({ ended })
    expect(JSON.parse(await readFile(join(dirname(file), 'out.json'), 'utf8'))).toEqual(written)
  })
})
