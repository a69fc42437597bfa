// An application server in JavaScript: reads one JSON object from stdin, sends one push with the
// npm package web-push, writes {"statusCode": ...} to stdout. Encryption and headers are the
// package's; the request is our own, because the package's speaks https only.
// in: {"subscription": {...}, "text": "...", "options": {...}}

import http from "node:http";
import { text } from "node:stream/consumers";
import webpush from "web-push";

const order = JSON.parse(await text(process.stdin));
const details = webpush.generateRequestDetails(order.subscription, order.text, order.options);
const { endpoint, method, headers, body } = details;
const { statusCode } = await new Promise((resolve, reject) => {
  const request = http.request(endpoint, { method, headers }, (answer) => resolve(answer.resume()));
  request.on("error", reject);
  request.end(body);
});
console.log(JSON.stringify({ statusCode }));
