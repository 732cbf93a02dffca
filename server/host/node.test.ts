import { describe, expect, it } from 'vitest'
import { definePlugin } from '../plugin.ts'
import { createTestHost } from '../testing/index.ts'

describe('a node', () => {
  it('starts', async () => {
    const t = performance.now()
    const host = await createTestHost({ plugins: [definePlugin({ name: 'a', version: '1.0.0', api: '^1.0.0', graphql: (b) => void b.queryField('x', (t) => t.int({ resolve: () => 1 })) })()] })
    console.log(performance.now() - t)
    expect(host.node.plugins.map((p) => p.status)).toEqual(['RUNNING'])
    await host.restart()
    console.log(performance.now() - t)
    await host.stop()
    const t2 = performance.now()
    const host2 = await createTestHost({ plugins: [definePlugin({ name: 'a', version: '1.0.0', api: '^1.0.0', graphql: (b) => void b.queryField('x', (t) => t.int({ resolve: () => 1 })) })()] })
    console.log(performance.now() - t2)
    console.log(await host2.execute('{ __typename }'))
    await host2.stop()
  })
})
