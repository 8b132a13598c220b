import { nodeTcp } from "./node_tcp.ts";
import { testTransport } from "./transport_contract.ts";

testTransport("node tcp", () => ({ transport: nodeTcp, address: "127.0.0.1:0" }));
