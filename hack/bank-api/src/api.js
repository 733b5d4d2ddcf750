/** The component that customers talk to. Any number of them may run. */
import { createYoga } from "graphql-yoga";
import { schema } from "./schema.js";
import { isHealthy, open, serve } from "./service.js";

const bank = await open();
const yoga = createYoga({ schema: schema(bank), logging: false, landingPage: false, maskedErrors: false });
serve(bank.apiPort, () => isHealthy(bank), yoga);
