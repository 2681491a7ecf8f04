/** Commands that other systems start. */
import type { Verb } from './verb.ts'

export const materializeKafka = {
  name: 'materialize-kafka',
  summary: 'write collections of Estuary Flow to Kafka: a materialization connector on standard input and output',
  json: false,
  help: `
A runtime of Estuary Flow starts this command, sends requests on standard input and reads responses from standard output;
logs go to standard error as JSON. docs/materialize.md shows how to put it into a catalog.

Environment:
  FLOW_RUNTIME_CODEC   json or proto (default: found by the first byte of the input)
  LOG_LEVEL            error, warn, info, debug or trace (default: info)

Example:
  echo '{"spec":{"connectorType":"LOCAL","config":{}}}' | millrace materialize-kafka`,
  run: async () => (await import('../materialize-kafka.ts')).materializeKafka(),
} satisfies Verb<object>
