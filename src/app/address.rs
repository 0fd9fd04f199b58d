//! Who the client is, when proxies stand between (RFC 7239).
//!
//! What the peer says of the client counts only if the peer is trusted, and then the list is read
//! from the right: its left end is whatever the client liked to send.

use std::net::{IpAddr, SocketAddr};

use super::forwarded;
use crate::http::Head;

/// Networks whose members are trusted to say for whom they speak.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies(Networks);

/// Networks, as an option lists them.
#[derive(Clone, Debug, Default)]
pub(super) struct Networks(Vec<Network>);

/// A network: the addresses that share its first `bits` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Reads `10.0.0.0/8`, `::1/128` or a single address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text
            .split_once('/')
            .map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address = address.parse::<IpAddr>().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) if !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit()) => {
                bits.parse().ok()?
            }
            Some(_) => return None,
            None => width,
        };
        (bits <= width).then_some(Self { address, bits }.canonical())
    }

    /// Addresses are compared as IPv4 even if they come in IPv6 clothes: so are networks.
    fn canonical(self) -> Self {
        match (self.address.to_canonical(), self.bits.checked_sub(96)) {
            (address @ IpAddr::V4(_), Some(bits)) if self.address.is_ipv6() => {
                Self { address, bits }
            }
            _ => self,
        }
    }

    pub(super) fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(mine), IpAddr::V4(other)) => {
                (mine.to_bits() ^ other.to_bits()).leading_zeros() >= self.bits
            }
            (IpAddr::V6(mine), IpAddr::V6(other)) => {
                (mine.to_bits() ^ other.to_bits()).leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

impl Networks {
    /// Reads all networks; gives the texts that are none.
    pub(super) fn parse(texts: &[String]) -> Result<Self, Vec<&str>> {
        let networks: Vec<_> = texts
            .iter()
            .filter_map(|text| Network::parse(text))
            .collect();
        if networks.len() == texts.len() {
            return Ok(Self(networks));
        }
        let bad = texts.iter().filter(|text| Network::parse(text).is_none());
        Err(bad.map(String::as_str).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a canonical address is in any of them.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Proxies {
    /// Reads all networks; gives the texts that are none.
    pub(super) fn parse(texts: &[String]) -> Result<Self, Vec<&str>> {
        Networks::parse(texts).map(Self)
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.0.contains(address)
    }

    /// The client that `head` came from, by way of `peer`.
    pub(super) fn client(&self, head: &Head, peer: Option<SocketAddr>) -> Option<IpAddr> {
        let peer = peer?.ip().to_canonical();
        match self.named(head, peer) {
            // A proxy writes one of them, and may pass on the other as the client sent it: where
            // they differ, neither is believed.
            [Some(one), Some(other)] if one != other => Some(peer),
            [Some(client), _] | [None, Some(client)] => Some(client),
            [None, None] => Some(peer),
        }
    }

    /// Everyone who the [`client`](Self::client) may be: where neither header is believed, each of them
    /// may be true.
    pub(super) fn candidates(
        &self,
        head: &Head,
        peer: Option<SocketAddr>,
    ) -> impl Iterator<Item = Option<IpAddr>> {
        let named = peer.map(|peer| self.named(head, peer.ip().to_canonical()));
        let named = named.into_iter().flatten().flatten().map(Some);
        named.chain([self.client(head, peer)])
    }

    /// Whom the headers name, if `peer` is to be believed: `Forwarded`, and `X-Forwarded-For`.
    fn named(&self, head: &Head, peer: IpAddr) -> [Option<IpAddr>; 2] {
        if !self.trusts(peer) {
            return [None, None];
        }
        // The last line is the one that was added last.
        let lines = |name| {
            head.header_values(name)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
        };
        [
            self.walk(peer, lines("Forwarded").flat_map(forwarded::forwarded)),
            self.walk(
                peer,
                lines("X-Forwarded-For").flat_map(forwarded::x_forwarded_for),
            ),
        ]
    }

    /// Walks a chain of addresses, from the proxies' end, to the first that is not trusted. `None` if
    /// there is no chain.
    fn walk(&self, peer: IpAddr, chain: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        let mut client = None;
        for said in chain {
            // What is no address hides whatever stands to its left.
            let Some(address) = said else {
                return client.or(Some(peer));
            };
            client = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HeadParser, Limits};

    fn client(trusted: &[&str], peer: &str, headers: &str) -> String {
        let head = format!("GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let mut parser = HeadParser::new(Limits {
            max_head: 4096,
            max_fields: 20,
        });
        let head = parser.push(head.as_bytes()).unwrap().head.unwrap();
        let trusted: Vec<String> = trusted.iter().map(|t| (*t).to_owned()).collect();
        let peer = SocketAddr::new(peer.parse().unwrap(), 1234);
        Proxies::parse(&trusted)
            .unwrap()
            .client(&head, Some(peer))
            .unwrap()
            .to_string()
    }

    #[test]
    fn the_client_is_the_first_from_the_right_who_is_not_trusted() {
        let proxies = ["10.0.0.0/8", "::1"];
        let table = [
            (
                "no proxy is trusted",
                &[][..],
                "6.6.6.6",
                "X-Forwarded-For: 1.1.1.1\r\n",
                "6.6.6.6",
            ),
            (
                "the peer is not trusted",
                &proxies,
                "6.6.6.6",
                "X-Forwarded-For: 1.1.1.1\r\n",
                "6.6.6.6",
            ),
            ("no header", &proxies, "10.0.0.1", "", "10.0.0.1"),
            (
                "one proxy",
                &proxies,
                "10.0.0.1",
                "X-Forwarded-For: 1.1.1.1\r\n",
                "1.1.1.1",
            ),
            (
                "a forged left end",
                &proxies,
                "10.0.0.1",
                "X-Forwarded-For: 9.9.9.9, 1.1.1.1\r\n",
                "1.1.1.1",
            ),
            (
                "two proxies",
                &proxies,
                "10.0.0.1",
                "X-Forwarded-For: 1.1.1.1, 10.2.3.4\r\n",
                "1.1.1.1",
            ),
            (
                "two lines",
                &proxies,
                "10.0.0.1",
                "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 10.2.3.4\r\n",
                "1.1.1.1",
            ),
            (
                "all are trusted",
                &proxies,
                "10.0.0.1",
                "X-Forwarded-For: 10.0.0.7, 10.2.3.4\r\n",
                "10.0.0.7",
            ),
            (
                "rubbish hides the rest",
                &proxies,
                "10.0.0.1",
                "X-Forwarded-For: 1.1.1.1, unknown, 10.2.3.4\r\n",
                "10.2.3.4",
            ),
            (
                "a port",
                &proxies,
                "10.0.0.1",
                "X-Forwarded-For: 1.1.1.1:80\r\n",
                "1.1.1.1",
            ),
            (
                "a mapped peer",
                &proxies,
                "::ffff:10.0.0.1",
                "X-Forwarded-For: 1.1.1.1\r\n",
                "1.1.1.1",
            ),
            ("a mapped client", &proxies, "::ffff:6.6.6.6", "", "6.6.6.6"),
            (
                "Forwarded",
                &proxies,
                "::1",
                "Forwarded: for=1.1.1.1;proto=https\r\n",
                "1.1.1.1",
            ),
            (
                "Forwarded, IPv6 and a port",
                &proxies,
                "::1",
                "Forwarded: proto=https;For=\"[2001:db8::1]:80\"\r\n",
                "2001:db8::1",
            ),
            (
                "two headers that differ",
                &proxies,
                "::1",
                "Forwarded: for=1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n",
                "::1",
            ),
        ];
        for (name, trusted, peer, headers, expected) in table {
            assert_eq!(client(trusted, peer, headers), expected, "{name}");
        }
    }

    #[test]
    fn networks_are_read_strictly() {
        for good in [
            "10.0.0.0/8",
            "127.0.0.1",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::/32",
            "::1/128",
        ] {
            assert!(Network::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "localhost",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "1.2.3.4/8/8",
        ] {
            assert!(Network::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_network_holds_the_addresses_that_share_its_bits() {
        let table = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("1.2.3.4", "1.2.3.4", true),
            ("1.2.3.4", "1.2.3.5", false),
            ("::/0", "::1", true),
            ("::/0", "1.2.3.4", false),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "11.1.2.3", false),
            ("::ffff:1.2.3.4", "1.2.3.4", true),
            ("::ffff:0:0/96", "1.2.3.4", true),
            ("::ffff:0:0/95", "1.2.3.4", false),
        ];
        for (network, address, expected) in table {
            let found = Network::parse(network)
                .unwrap()
                .contains(address.parse().unwrap());
            assert_eq!(found, expected, "{address} in {network}");
        }
    }
}
