import { binding as refunds } from '../client/lattice/tally/surface.ts'

/** What a page may open by name. A new organism is one line here and one in node/bindings.ts. */
export const bindings = [refunds]
