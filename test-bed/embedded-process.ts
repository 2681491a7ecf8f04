/** The process that `embedded.ts` starts: an embedded broker with the options of its argument, which ends with its parent. */
import { type BrokerOptions, startBroker } from '../packages/millrace/src/broker/index.ts'
import { incrementalAlterConfigsApi } from '../packages/millrace/src/protocol/messages/incremental-alter-configs.ts'
import { RawClient } from '../packages/millrace/test/support/raw-client.ts'
import type { NodeCommand } from './embedded.ts'

const options = JSON.parse(process.argv[2]!) as BrokerOptions
const broker = await startBroker(options)
await takeLargeRecords(options.port!)
process.on('disconnect', () => process.exit())
process.on('message', ({ node, is }: NodeCommand) => {
  void (is === 'stop' ? broker.stopNode(node) : broker.startNode(node)).then(() => process.send!(is))
})
process.send!('serves')

/** As large as those that the test bed lets Apache Kafka take. */
async function takeLargeRecords(port: number): Promise<void> {
  using client = await RawClient.connect(`127.0.0.1:${port}`)
  const configs = [{ name: 'message.max.bytes', configOperation: 0, value: String(20 << 20) }]
  const resources = [{ resourceType: 4, resourceName: '', configs }]
  await client.request(incrementalAlterConfigsApi, 1, { resources, validateOnly: false })
}
