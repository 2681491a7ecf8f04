/** All commands, in the order in which `--help` lists them. */
import { deadletter } from './deadletter.ts'
import { broker, dev } from './develop.ts'
import { completion, discover, info, list, read, spec, top } from './look.ts'
import { materializeKafka } from './materialize.ts'
import { offsets } from './offsets.ts'
import { check, create, dryRun, explain, lint, run, test } from './pipelines.ts'
import type { Verb } from './verb.ts'

export const VERBS: readonly Verb[] = [
  create,
  lint,
  explain,
  check,
  test,
  dryRun,
  dev,
  run,
  offsets,
  deadletter,
  top,
  discover,
  read,
  list,
  info,
  spec,
  broker,
  completion,
  materializeKafka,
]
