//! The orders of a small shop: taken over HTTP, moved on in bulk over a socket. Pure.

use std::collections::VecDeque;

use serde_json::{Value, json};

/// How many orders are remembered, and how many of them a newcomer is shown.
const KEPT: usize = 200;
const SHOWN: usize = 20;
/// The longest name of an item, in characters; the most of it; and the highest price.
const LONGEST: usize = 60;
const MOST: u64 = 1_000;
const DEAREST: f64 = 100_000.0;
/// What becomes of an order.
const STATUSES: [&str; 4] = ["new", "packed", "shipped", "cancelled"];

#[derive(Default)]
pub(crate) struct Orders {
    taken: u64,
    /// The oldest first; ids are numbers that follow each other.
    kept: VecDeque<Value>,
}

impl Orders {
    /// The last orders, the newest first.
    pub(crate) fn latest(&self) -> Vec<Value> {
        self.kept.iter().rev().take(SHOWN).cloned().collect()
    }

    /// Takes an order such as `{"item": "Tea", "quantity": 2, "price": 3.5}` at `time`. `Err` says
    /// what is wrong with it.
    pub(crate) fn take(&mut self, wanted: &Value, time: u64) -> Result<Value, String> {
        let item = wanted["item"].as_str().map(str::trim).unwrap_or_default();
        if item.is_empty() || item.chars().count() > LONGEST {
            return Err(format!("item must be a text of 1 to {LONGEST} characters"));
        }
        let quantity = wanted["quantity"].as_u64().unwrap_or_default();
        if !(1..=MOST).contains(&quantity) {
            return Err(format!("quantity must be a whole number from 1 to {MOST}"));
        }
        let price = wanted["price"].as_f64().unwrap_or(-1.0);
        if !(0.0..=DEAREST).contains(&price) {
            return Err(format!("price must be a number from 0 to {DEAREST}"));
        }
        let cents = (100.0 * price).round();
        self.taken += 1;
        let order = json!({
            "id": self.taken, "item": item, "quantity": quantity, "price": cents / 100.0,
            "total": cents * quantity as f64 / 100.0, "status": STATUSES[0], "createdAt": time,
        });
        self.kept.push_back(order.clone());
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        Ok(order)
    }

    /// Moves many orders on: `items` such as `{"id": 1, "status": "packed"}`. Gives the orders that
    /// were changed, and what is wrong with the other items.
    pub(crate) fn update(&mut self, items: &[Value]) -> (Vec<Value>, Vec<Value>) {
        let (mut changed, mut rejected) = (Vec::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            match self.update_one(item) {
                Ok(order) => changed.push(order),
                Err(why) => rejected.push(json!({ "index": index, "reason": why })),
            }
        }
        (changed, rejected)
    }

    fn update_one(&mut self, item: &Value) -> Result<Value, String> {
        let id = &item["id"];
        let found = self.kept.iter_mut().find(|order| order["id"] == *id);
        let order = found.ok_or_else(|| format!("there is no order {id}"))?;
        let status = STATUSES.iter().find(|known| item["status"] == **known);
        let status = status.ok_or_else(|| format!("status must be one of {STATUSES:?}"))?;
        order["status"] = (*status).into();
        Ok(order.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tea() -> Value {
        json!({ "item": " Tea ", "quantity": 3, "price": 3.10 })
    }

    #[test]
    fn an_order_is_numbered_and_summed_up_in_cents() {
        let mut orders = Orders::default();
        let order = json!({
            "id": 1, "item": "Tea", "quantity": 3, "price": 3.1, "total": 9.3, "status": "new",
            "createdAt": 7,
        });
        assert_eq!(orders.take(&tea(), 7), Ok(order.clone()));
        assert_eq!(orders.take(&tea(), 8).expect("an order")["id"], 2);
        let latest = orders.latest();
        assert_eq!((latest.len(), &latest[1]), (2, &order), "newest first");
    }

    #[test]
    fn an_order_that_makes_no_sense_is_not_taken() {
        let mut orders = Orders::default();
        let cases = [
            ("item", json!("")),
            ("item", json!("  ")),
            ("item", json!("x".repeat(61))),
            ("item", json!(7)),
            ("item", Value::Null),
            ("quantity", json!(0)),
            ("quantity", json!(-1)),
            ("quantity", json!(1.5)),
            ("quantity", json!(1001)),
            ("quantity", json!("3")),
            ("price", json!(-0.01)),
            ("price", json!(100_000.01)),
            ("price", json!("3.5")),
            ("price", Value::Null),
        ];
        for (field, value) in cases {
            let mut wanted = tea();
            wanted[field] = value;
            let why = orders.take(&wanted, 0).expect_err("it is wrong");
            assert!(why.starts_with(field), "{wanted}: {why}");
        }
        for wanted in [json!([]), json!("tea"), Value::Null] {
            orders.take(&wanted, 0).expect_err("it is wrong");
        }
        assert_eq!(orders.latest(), Vec::<Value>::new());
    }

    #[test]
    fn each_item_of_an_update_stands_for_itself() {
        let mut orders = Orders::default();
        for time in 0..3 {
            orders.take(&tea(), time).expect("an order");
        }
        let items = [
            json!({ "id": 1, "status": "packed" }),
            json!({ "id": 9, "status": "packed" }),
            json!({ "id": 2, "status": "eaten" }),
            json!({ "id": "1", "status": "packed" }),
            json!(7),
            json!({ "id": 3, "status": "shipped" }),
        ];
        let (changed, rejected) = orders.update(&items);
        let changed: Vec<_> = changed.iter().map(|o| (&o["id"], &o["status"])).collect();
        let (packed, shipped) = (json!("packed"), json!("shipped"));
        assert_eq!(changed, [(&json!(1), &packed), (&json!(3), &shipped)]);
        let indices: Vec<_> = rejected.iter().map(|why| why["index"].as_u64()).collect();
        assert_eq!(indices, [Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(rejected[0]["reason"], "there is no order 9");
        assert_eq!(orders.latest()[1]["status"], "new");
    }

    #[test]
    fn old_orders_are_forgotten() {
        let mut orders = Orders::default();
        for time in 0..=KEPT as u64 {
            orders.take(&tea(), time).expect("an order");
        }
        let item = |id: usize| json!({ "id": id, "status": "packed" });
        let (changed, rejected) = orders.update(&[item(1), item(2)]);
        assert_eq!((changed.len(), rejected.len()), (1, 1));
        assert_eq!(orders.latest().len(), SHOWN);
    }
}
