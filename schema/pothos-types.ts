/**
 * What Pothos's plugins add to its types, like `builder.loadableNode`. Imported for that effect alone: a type
 * declaration keeps no other import, and the authors of plugins would miss those methods.
 */
import '@pothos/plugin-complexity'
import '@pothos/plugin-dataloader'
import '@pothos/plugin-errors'
import '@pothos/plugin-relay'
import '@pothos/plugin-scope-auth'
import '@pothos/plugin-validation'
