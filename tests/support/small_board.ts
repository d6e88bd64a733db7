import { Board } from "../../src/board/layout.ts";

/** A board for two columns, and one of everything else. */
export function smallBoard(endpointsMax = 1): Board {
  return Board.create({ columnsMax: 2, upstreamsMax: 1, endpointsMax, routesMax: 1, rateSlotsMax: 1 });
}
