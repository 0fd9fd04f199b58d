//! The server from outside: from other threads, from another loop, over a Unix-domain socket.
mod common;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use common::log::log;
use common::{Client, PATIENCE, Server, serve_with};
use rushwire::{App, Gone, Hub, Message, Options, OwnedMessage, Remote, SocketId, event};

fn quiet() -> Options {
    Options {
        heartbeat: Duration::ZERO,
        ..Options::default()
    }
}

/// A server whose sockets join `"room"` and send back what they hear.
fn echo() -> Server {
    serve_with(quiet, |app| {
        app.ws("/", |socket, _| {
            socket.join("room");
            socket.on(event::Message, |socket, message| _ = socket.send(message));
        });
    })
}

fn id_of_the_only_one(server: &Server) -> SocketId {
    server.wait_until("it is open", |hub| hub.len() == 1);
    server.ask(|hub| hub.sockets()[0].id())
}

#[test]
fn what_may_go_to_another_thread_can() {
    fn anywhere<T: Clone + Send + Sync + 'static>() {}
    fn there<T: Send + 'static>() {}
    anywhere::<Remote>();
    anywhere::<SocketId>();
    anywhere::<OwnedMessage>();
    anywhere::<Gone>();
    anywhere::<Options>();
    there::<rushwire::Next>();
    there::<Message<'static>>();
}

#[test]
fn a_remote_sends_broadcasts_and_runs_jobs() {
    let server = echo();
    let mut client = server.connect("/");
    let id = id_of_the_only_one(&server);
    let (remote, second) = (server.remote.clone(), server.remote.clone());
    let thread = std::thread::spawn(move || {
        remote.send(id, "text")?;
        remote.send(id, &[1, 2])?;
        remote.broadcast("room", &OwnedMessage::Text("to the room".into()))?;
        remote.broadcast("nobody", "to nobody")?;
        second.post(move |hub| _ = hub.socket(id).expect("it is there").send("from a job"))
    });
    thread
        .join()
        .expect("the thread")
        .expect("the server is there");
    assert_eq!(
        (client.text(), client.binary()),
        ("text".to_owned(), vec![1, 2])
    );
    assert_eq!(
        (client.text(), client.text()),
        ("to the room".to_owned(), "from a job".to_owned())
    );
}

#[test]
fn what_is_asked_before_the_server_runs_waits_for_it() {
    let mut app = App::with(quiet());
    let (pen, log) = log();
    let note = |what: &'static str| {
        let pen = pen.clone();
        move |_: &Hub| pen.note(what)
    };
    let before_bind = app.remote();
    let job = note("before bind");
    std::thread::spawn(move || before_bind.post(job))
        .join()
        .expect("the thread")
        .expect("it is kept");
    let mut server = app.bind("127.0.0.1:0").expect("bind");
    let before_run = server.remote();
    let job = note("before run");
    std::thread::spawn(move || before_run.post(job))
        .join()
        .expect("the thread")
        .expect("it is kept");
    app.remote()
        .post(note("by the application"))
        .expect("it is kept");
    server
        .hub()
        .remote()
        .shutdown(Duration::ZERO)
        .expect("it is kept");
    server.run().expect("run");
    drop((server, pen, app));
    assert_eq!(
        log.rest(),
        ["before bind", "before run", "by the application"]
    );
}

#[test]
fn after_the_server_every_call_answers_gone_and_the_job_is_dropped() {
    let server = echo();
    let mut client = server.connect("/");
    let id = id_of_the_only_one(&server);
    let remote = server.remote.clone();
    drop(server);
    client.closed();
    client.finish();
    let held = Arc::new(());
    let job = Arc::clone(&held);
    let calls = [
        remote.post(move |_| drop(job)),
        remote.send(id, "x"),
        remote.broadcast("room", "x"),
        remote.shutdown(Duration::ZERO),
        std::thread::spawn(move || remote.clone().post(|_| ()))
            .join()
            .expect("the thread"),
    ];
    assert_eq!(calls, [Err(Gone); 5]);
    assert_eq!(Gone.to_string(), "the server is gone");
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_job_that_was_never_run_is_dropped_with_the_server() {
    let held = Arc::new(());
    let job = Arc::clone(&held);
    let mut app = App::with(quiet());
    let remote = app.remote();
    let server = app.bind("127.0.0.1:0").expect("bind");
    remote.post(move |_| drop(job)).expect("it is kept");
    drop(server);
    assert_eq!(
        (Arc::strong_count(&held), remote.post(|_| ())),
        (1, Err(Gone))
    );
}

#[test]
fn an_application_that_is_dropped_unbound_is_gone_too() {
    let app = App::with(quiet());
    let remote = app.remote();
    remote.post(|_| ()).expect("it is kept");
    drop(app);
    assert_eq!(remote.post(|_| ()), Err(Gone));
}

#[test]
fn what_one_thread_asks_is_done_in_its_order_and_nothing_is_lost() {
    let (threads, each) = (8_u32, 500_u32);
    let server = echo();
    let mut client = server.connect("/");
    let id = id_of_the_only_one(&server);
    let workers: Vec<_> = (0..threads)
        .map(|thread| {
            let remote = server.remote.clone();
            std::thread::spawn(move || {
                for number in 0..each {
                    let text = format!("{thread} {number}");
                    let sent = match number % 3 {
                        0 => remote.send(id, &text),
                        1 => remote.broadcast("room", &text),
                        _ => remote.post(move |hub| _ = hub.to("room").send(&text)),
                    };
                    sent.expect("the server is there");
                }
            })
        })
        .collect();
    let mut next = vec![0; threads as usize];
    for _ in 0..threads * each {
        let text = client.text();
        let (thread, number) = text.split_once(' ').expect("two numbers");
        let expected = &mut next[thread.parse::<usize>().expect("a number")];
        assert_eq!(number, expected.to_string(), "of thread {thread}");
        *expected += 1;
    }
    assert_eq!(next, vec![each; threads as usize]);
    workers
        .into_iter()
        .for_each(|worker| worker.join().expect("a worker"));
}

#[test]
fn a_job_may_post_another() {
    let server = echo();
    let (sender, receiver) = mpsc::channel();
    fn again(hub: &Hub, left: u32, done: mpsc::Sender<()>) {
        if left == 0 {
            return done.send(()).expect("the test waits");
        }
        hub.remote()
            .post(move |hub| again(hub, left - 1, done))
            .expect("the server runs");
    }
    server
        .remote
        .post(move |hub| again(hub, 1000, sender))
        .expect("the server is there");
    assert_eq!(receiver.recv_timeout(PATIENCE), Ok(()));
}

#[test]
fn asking_for_one_who_is_gone_does_nothing_to_the_next_in_its_place() {
    let server = echo();
    let first = server.connect("/");
    let id = id_of_the_only_one(&server);
    drop(first);
    server.wait_until("it is gone", Hub::is_empty);
    let mut second = server.connect("/");
    server.wait_until("the second is open", |hub| hub.len() == 1);
    server
        .remote
        .send(id, "for the first")
        .expect("the server is there");
    server
        .remote
        .broadcast("room", "for the room")
        .expect("the server is there");
    assert_eq!(second.text(), "for the room");
}

#[test]
fn a_shutdown_from_another_thread_ends_the_server_and_the_sooner_deadline_wins() {
    let server = echo();
    let mut client = server.connect("/");
    id_of_the_only_one(&server);
    let remote = server.remote.clone();
    let asked = std::thread::spawn(move || (remote.shutdown(Duration::from_secs(10_000)), remote));
    let (sent, remote) = asked.join().expect("the thread");
    sent.expect("the server is there");
    assert_eq!(
        client.closed(),
        (1001, "server is shutting down".to_owned())
    );
    // The peer does not answer: so it takes the second, shorter deadline, or close_timeout.
    remote
        .shutdown(Duration::from_millis(50))
        .expect("the server is still there");
    client.expect_end();
    let deadline = Instant::now() + PATIENCE;
    while remote.post(|_| ()).is_ok() {
        assert!(Instant::now() < deadline, "the server never ends");
        std::thread::yield_now();
    }
    drop(server);
}

/// Runs a client on a thread of its own, until it is done.
fn beside(
    client: impl FnOnce() + Send + 'static,
) -> (std::thread::JoinHandle<()>, Arc<AtomicUsize>) {
    let done = Arc::new(AtomicUsize::new(0));
    let flag = Arc::clone(&done);
    let thread = std::thread::spawn(move || {
        client();
        flag.store(1, SeqCst);
    });
    (thread, done)
}

#[test]
fn a_server_can_be_driven_by_another_loop() {
    let mut app = App::with(quiet());
    let ticks = Rc::new(Cell::new(0));
    let ticking = Rc::clone(&ticks);
    app.hub().set_interval(Duration::from_millis(1), move |_| {
        ticking.set(ticking.get() + 1)
    });
    app.ws("/", |socket, _| {
        socket.on(event::Message, |socket, message| _ = socket.send(message));
    });
    let mut server = app.bind("127.0.0.1:0").expect("bind");
    let addr = server.local_addr().expect("address");
    let (thread, done) = beside(move || {
        let mut client = Client::connect(addr, "/");
        for number in 0..200 {
            client.send(&number.to_string());
            assert_eq!(client.text(), number.to_string());
        }
        client.send_close(1000, "");
        client.expect_close(1000);
    });
    let deadline = Instant::now() + PATIENCE;
    let mut rounds = 0_u64;
    while done.load(SeqCst) == 0 {
        // The other loop has its own work; it never waits in ours.
        server.turn(Some(Duration::ZERO)).expect("turn");
        rounds += 1;
        assert!(Instant::now() < deadline, "the client is not served");
    }
    thread.join().expect("the client");
    assert!(rounds > 1 && ticks.get() > 0, "timers run, too");
    assert!(!server.is_done(), "nobody shut it down");
}

#[test]
fn timeout_says_how_long_there_is_nothing_to_do() {
    let mut app = App::with(quiet());
    app.ws("/", |_, _| {});
    let mut server = app.bind("127.0.0.1:0").expect("bind");
    server.turn(Some(Duration::ZERO)).expect("turn");
    assert_eq!(server.timeout(), None, "nothing is under way");

    let timer = server.hub().set_timeout(Duration::from_secs(100), |_| ());
    let left = server.timeout().expect("a timer is set");
    assert!(
        left <= Duration::from_secs(100) && left > Duration::from_secs(50),
        "{left:?}"
    );
    assert!(timer.cancel());
    assert_eq!(server.timeout(), None, "it is cancelled");

    let ran = Rc::new(Cell::new(false));
    let run = Rc::clone(&ran);
    server
        .hub()
        .set_timeout(Duration::ZERO, move |_| run.set(true));
    assert_eq!(server.timeout(), Some(Duration::ZERO));
    server.turn(Some(Duration::ZERO)).expect("turn");
    assert!(ran.get());

    let addr = server.local_addr().expect("address");
    let (thread, done) = beside(move || drop(Client::connect(addr, "/")));
    while done.load(SeqCst) == 0 || !server.hub().is_empty() {
        server.turn(Some(Duration::from_millis(10))).expect("turn");
    }
    thread.join().expect("the client");

    server
        .remote()
        .shutdown(Duration::from_secs(100))
        .expect("the server is there");
    server.turn(None).expect("a job wakes it");
    assert!(server.is_done());
}

/// Waits at most that long, although it could wait for ever.
#[test]
fn a_turn_ends_after_its_timeout() {
    let mut server = App::with(quiet()).bind("127.0.0.1:0").expect("bind");
    let began = Instant::now();
    server.turn(Some(Duration::from_millis(60))).expect("turn");
    let took = began.elapsed();
    assert!(
        took >= Duration::from_millis(50) && took < PATIENCE,
        "{took:?}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn the_descriptor_to_wait_for_is_that_of_the_poll() {
    use std::os::fd::AsRawFd;
    let server = App::with(quiet()).bind("127.0.0.1:0").expect("bind");
    let link =
        std::fs::read_link(format!("/proc/self/fd/{}", server.as_raw_fd())).expect("it is open");
    assert_eq!(link.to_str(), Some("anon_inode:[eventpoll]"));
}

#[cfg(unix)]
mod unix {
    use std::io::Write;

    use super::*;
    use crate::common::client::{BINARY, CLOSE, TEXT, close_payload, frame};
    use crate::common::unix::{UnixClient, serve_unix};

    #[test]
    fn a_unix_domain_socket_carries_sockets_like_tcp() {
        let (pen, log) = log();
        let (server, path) = serve_unix(quiet, move |app| {
            app.ws("/:name", move |socket, request| {
                pen.note(format!(
                    "{:?} {:?} {:?}",
                    socket.remote_addr(),
                    request.client_ip(),
                    request.peer_addr()
                ));
                pen.watch(request.param("name"), socket);
                socket.join("room");
                socket.on(event::Message, |socket, message| _ = socket.send(message));
            });
        });
        let mut client = UnixClient::connect(&path, "/a");
        let large = vec![9; 3 << 20];
        let mut stream = client.stream.try_clone().expect("clone");
        let sent = [
            frame(true, 0, TEXT, b"hello"),
            frame(true, 0, BINARY, &large[..1 << 20]),
        ]
        .concat();
        let writer = std::thread::spawn(move || stream.write_all(&sent).expect("send"));
        assert_eq!(client.next().expect("the echo"), b"hello");
        assert!(client.next().expect("the echo") == large[..1 << 20]);
        writer.join().expect("the writer");
        let reached = server.ask(move |hub| hub.to("room").send(&large));
        assert_eq!(
            (reached, client.next().expect("the message").len()),
            (1, 3 << 20)
        );
        client
            .stream
            .write_all(&frame(true, 0, CLOSE, &close_payload(4000, "bye")))
            .expect("send");
        assert_eq!(client.next().expect("the answer"), 4000_u16.to_be_bytes());
        assert_eq!(client.next(), None);
        server.stop(Duration::from_secs(1));
        let lines = log.rest();
        assert_eq!(lines[..2], ["None None None", "a open"]);
        assert_eq!(
            lines.last().map(String::as_str),
            Some(r#"a close 4000 "bye" Peer Requested 0"#)
        );
    }

    #[test]
    fn a_path_that_is_taken_is_an_error() {
        let (_server, path) = serve_unix(quiet, |_| {});
        let error = App::with(quiet())
            .bind_unix(&path)
            .map(|_| ())
            .expect_err("it is taken");
        assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    }
}
