/**
 * `stage.pipeline`: runs another pipeline to its end, then passes on what it was given.
 */
import { defineSourceFunction, defineTransform } from '../contracts/functions.ts'
import type { Source } from '../contracts/source.ts'
import { problem, type OptionRule } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { counted } from '../options/units.ts'
import { Collection, COLLECTING_FIELDS } from './transforms.ts'

const options = {
  file: field
    .string()
    .optional()
    .doc('Pipeline file, relative to the folder of this one.')
    .example('pipelines/load.toml'),
  inline: field.any().optional().doc('The pipeline itself, as TOML text or as an object.'),
  /** Put in by the dialect that has read file or text. */
  plan: field.any().optional().ignored('it is made of file or inline'),
  ...COLLECTING_FIELDS,
}
const rules: readonly OptionRule<typeof options>[] = [
  ({ file, inline }) =>
    (file === undefined) === (inline === undefined) ? problem('file', 'Set either file or inline') : undefined,
]
const name = 'stage.pipeline'
const examples = [
  {
    title: 'A table in another format',
    options: {
      inline: {
        stages: [
          { id: 'prices', function: 'csv.read', config: { path: 'prices.csv' } },
          { id: 'save', function: 'json.write', inputs: ['prices'], config: { path: 'prices.json' } },
        ],
      },
    },
  },
]

export const subPipeline = defineTransform({
  name,
  summary: 'Runs another pipeline when its inputs have ended, then passes on their rows.',
  options,
  rules,
  examples,
  keepsRowsBack: () => true,
  notInLine: () => ({ because: 'it waits for another pipeline', instead: '$subPipeline' }),
  create({ plan, ...limits }, { stage, run, warn, delivery }) {
    const collection = new Collection(stage, limits)
    return {
      needs: 'metadata',
      process(batch) {
        collection.keepRows(batch)
        return []
      },
      async finish(signal) {
        if (await run(plan, signal)) return collection.emitKept([...collection.rows])
        // What stands behind this stage counts on what the other pipeline has done. Not acknowledged (I1), so they come again.
        if (collection.rows.length > 0)
          warn(
            `the run was stopped before the pipeline of stage "${stage}" came to its end, so ${counted(collection.rows.length, 'row')} that waited for it did not pass: ${delivery === 'at_most_once' ? 'with at_most_once they are lost' : 'the next run reads them again'}`,
          )
        return []
      },
    }
  },
})

export const firstPipeline = defineSourceFunction({
  name,
  summary: 'Runs another pipeline, without returning rows.',
  options,
  rules,
  examples,
  create: ({ plan }, { run }): Source => ({
    valueCodec: 'json',
    readsRecordBatches: false,
    commits: 'what the sources of the other pipeline commit',
    async open() {},
    // oxlint-disable-next-line eslint/require-yield -- it gives no rows
    async *batches(signal) {
      await run(plan, signal)
    },
    progress: () => ({ records: 0, bytes: 0, lag: undefined }),
    async close() {},
  }),
})
