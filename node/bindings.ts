import { binding as refunds } from '../client/lattice/tally/surface.ts'

/** What a program may open by name. A new organism is one line here and one in worker/bindings.ts. */
export const bindings = [refunds]
